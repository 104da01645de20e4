"use strict";
(() => {
  const MISSING = -2000000000, SVG = "http://www.w3.org/2000/svg";
  const D = JSON.parse(document.getElementById("data").textContent);
  const places = D.places, N = places.length, england = N - 1;
  const own = places.map((p, i) => i).filter((i) => places[i].kind === "authority");
  const byCode = new Map(places.map((p, i) => [p.code, i]));
  const C = D.colours, byName = new Intl.Collator("en-GB");
  let F = null;
  const $ = (id) => document.getElementById(id);
  const state = { m: D.first, g: "", p: "", v: "map", c: "england", a: D.firstPlace, x: D.second, o: "region" };

  // every text goes in as text: a name is never read as markup
  function el(name, attributes, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  function svg(name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const n = planes.length / 4, joined = new Uint8Array(planes.length);
    for (let k = 0; k < 4; k++) for (let i = 0, from = k * n; i < n; i++) joined[4 * i + k] = planes[from + i];
    return new Int32Array(joined.buffer);
  }

  // series
  const seriesOf = (m) => D.series.filter((s) => s.m === m);
  const seriesFor = (m, g) => seriesOf(m).find((s) => s.g === g) || seriesOf(m)[0];
  // half of the usual distance between authorities: the rule of outcomes_analysis/places/verdicts.py
  const halves = new Map();
  function half(s, p) {
    const key = s.at + p * 3 * N;
    if (!halves.has(key)) {
      const values = own.filter((i) => places[i].ranked).map((i) => ({ whole: F[key + i], reason: D.withheld[F[key + i + 2 * N] & 15] }))
        .filter((x) => x.whole > MISSING + 100 && x.reason !== D.inherited).map((x) => x.whole / 10 ** s.d);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1));
      halves.set(key, values.length < D.fewest ? NaN : D.narrow * sd);
    }
    return halves.get(key);
  }
  function cell(s, p, i) {
    const at = s.at + p * 3 * N + i, whole = F[at], scale = 10 ** s.d;
    if (whole <= MISSING + 100) return { missing: D.missing[whole - MISSING] || D.missing[0] };
    const below = F[at + N], third = F[at + 2 * N], above = third >> 4;
    return {
      value: whole / scale,
      lower: below < 0 ? NaN : (whole - below) / scale,
      upper: below < 0 ? NaN : (whole + above) / scale,
      withheld: D.withheld[third & 15],
      half: half(s, p),
    };
  }
  const latest = (s, year) => { for (let p = s.years.length - 1; p >= 0; p--) if (s.years[p] <= year) return p; return -1; };
  function standing(x, base, direction) {
    if (x.missing) return "none";
    if (x.withheld || !Number.isFinite(x.lower) || base.missing) return "withheld";
    const side = x.lower > base.value ? 1 : x.upper < base.value ? -1 : 0;
    if (!side) return x.lower >= base.value - x.half && x.upper <= base.value + x.half ? "similar" : "same";
    if (!direction) return side > 0 ? "more" : "fewer";
    return side * direction > 0 ? "better" : "worse";
  }
  const WORDS = {
    better: "clearly better", worse: "clearly worse", more: "clearly higher", fewer: "clearly lower",
    similar: "similar", same: "not clear", withheld: "not compared", none: "no figure",
  };

  // words
  const minus = (text) => text.replace("-", "\u2212");
  function number(value, decimals) {
    return minus(value.toLocaleString("en-GB", { minimumFractionDigits: decimals, maximumFractionDigits: decimals }));
  }
  function figure(x, measure) {
    return x.missing ? "no figure (" + x.missing + ")" : number(x.value, measure.decimals);
  }
  function withInterval(x, measure) {
    if (x.missing || !Number.isFinite(x.lower)) return figure(x, measure);
    return figure(x, measure) + " (" + number(x.lower, measure.decimals) + " to " + number(x.upper, measure.decimals) + ")";
  }
  function marks(measure) {
    return (measure.contested ? " (contested)" : "") + (measure.experimental ? " (experimental)" : "");
  }
  const beside = (x, base, measure) => {
    const found = standing(x, base, measure.direction);
    return found === "withheld" ? "not compared" + (x.withheld ? ": " + x.withheld : "") : WORDS[found];
  };

  // drawing of the map, once; colours change afterwards
  const shapes = new Map();
  function remember(i, node) {
    if (!shapes.has(i)) shapes.set(i, []);
    shapes.get(i).push(node);
    node.classList.add("area");
    node.addEventListener("click", () => choose(i));
    node.addEventListener("mouseenter", () => { $("hover").textContent = hoverText(i); });
  }
  function drawMaps() {
    const box = $("maps");
    box.replaceChildren();
    shapes.clear();
    if (state.v === "hex") {
      const chart = svg("svg", { viewBox: D.hexBox, role: "img" });
      for (const i of own) {
        const [x, y] = places[i].hex, points = [];
        for (let k = 0; k < 6; k++) {
          const turn = Math.PI / 6 + (k * Math.PI) / 3;
          points.push((x + 0.577 * Math.cos(turn)).toFixed(3) + "," + (y + 0.577 * Math.sin(turn)).toFixed(3));
        }
        const node = svg("polygon", { points: points.join(" ") });
        remember(i, node);
        chart.append(node);
      }
      for (const i of own) {
        const [x, y] = places[i].hex;
        const label = svg("text", { x, y: y + 0.13, "font-size": 0.36, "text-anchor": "middle", "pointer-events": "none" }, places[i].short);
        shapes.get(i).label = label;
        chart.append(label);
      }
      box.append(chart);
    } else {
      const whole = svg("svg", { viewBox: D.box, role: "img" });
      const inset = svg("svg", { viewBox: D.londonBox, role: "img", class: "inset" });
      for (const i of own) {
        for (const chart of places[i].region === "London" ? [whole, inset] : [whole]) {
          const node = svg("path", { d: places[i].d });
          remember(i, node);
          chart.append(node);
        }
      }
      box.append(whole, inset);
    }
  }
  function hoverText(i) {
    const s = current(), measure = D.measures[state.m], p = s.periods.indexOf(state.p), x = cell(s, p, i);
    return places[i].name + ": " + withInterval(x, measure) + "; " + beside(x, cell(s, p, england), measure);
  }
  const current = () => seriesFor(state.m, state.g);

  function fifths(cells) {
    const values = own.filter((i) => places[i].ranked && !cells[i].missing).map((i) => cells[i].value).sort((a, b) => a - b);
    if (values.length < 10) return null;
    return [1, 2, 3, 4].map((k) => values[Math.min(values.length - 1, Math.ceil((k * values.length) / 5) - 1)]);
  }
  function light(colour) {
    const share = [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16) / 255);
    return 0.2126 * share[0] ** 2.2 + 0.7152 * share[1] ** 2.2 + 0.0722 * share[2] ** 2.2 > 0.3;
  }

  function paint() {
    const s = current(), measure = D.measures[state.m], p = s.periods.indexOf(state.p);
    const cells = places.map((_, i) => cell(s, p, i)), base = cells[england], counts = {};
    const cuts = state.c === "fifths" ? fifths(cells) : null, neutral = !measure.direction;
    const ramp = neutral ? C.neutralSequence : C.sequence;
    for (const i of own) {
      let kind = standing(cells[i], base, measure.direction).replace("similar", "same");
      if (cuts && kind !== "none") kind = "fifth" + cuts.filter((c) => cells[i].value > c).length;
      counts[kind] = (counts[kind] || 0) + 1;
      const fill = kind.startsWith("fifth") ? ramp[+kind[5]] : C[kind];
      for (const node of shapes.get(i) || []) node.setAttribute("fill", fill);
      const label = shapes.get(i) && shapes.get(i).label;
      if (label) label.style.fill = light(fill) ? "#1a1a1a" : "#ffffff";
    }
    const order = cuts ? [0, 1, 2, 3, 4].map((k) => "fifth" + k) : neutral ? ["fewer", "same", "more"] : ["worse", "same", "better"];
    const key = [...order, "withheld", "none"].filter((k) => counts[k]).map((k) => {
      const fill = k.startsWith("fifth") ? ramp[+k[5]] : C[k];
      const label = k.startsWith("fifth") ? ["lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth"][+k[5]]
        : k === "none" ? "no figure" : k === "withheld" ? "not compared" : k === "same" ? "not clear" : WORDS[k] + " than England";
      return el("li", {}, el("span", { class: "swatch", style: "background:" + fill }), label + " (" + counts[k] + ")");
    });
    $("key").replaceChildren(...key);
    const compared = own.filter((i) => !["none", "withheld"].includes(standing(cells[i], base, measure.direction))).length;
    const up = neutral ? "more" : "better", down = neutral ? "fewer" : "worse", tally = {};
    for (const i of own) { const k = standing(cells[i], base, measure.direction); tally[k] = (tally[k] || 0) + 1; }
    const name = measure.label + marks(measure) + (s.g === D.everyone ? "" : ", " + s.g);
    $("finding").textContent = base.missing || !compared ? name
      : name + ": " + (tally[up] || 0) + " of " + compared + " authorities " + WORDS[up] + " than England, " + (tally[down] || 0) + " " + WORDS[down];
    const toward = measure.direction > 0 ? "Higher is better." : measure.direction < 0 ? "Lower is better." : "Neither way is plainly better.";
    const zero = measure.kind === "domain" ? " 0 is England in each part's base period." : "";
    $("under").textContent = measure.unit + ", " + state.p + ". " + toward + zero + " England: " + figure(base, measure)
      + ". \u201cClearly\u201d means that the 90% interval leaves England's figure out; of " + compared
      + " comparisons about " + Math.round(compared / 10) + " would do so by chance, and no allowance is made for that here. \u201cSimilar\u201d means that the whole interval lies within half of the usual distance between authorities of England's figure; \u201cnot clear\u201d, that neither can be said.";
    for (const chart of $("maps").children) chart.setAttribute("aria-label", (chart.classList.contains("inset") ? "London enlarged. " : "Map. ") + $("finding").textContent + ". The table beside it holds every figure.");
    return { s, p, cells, base, measure };
  }

  // the list
  function strip(low, high, base) {
    const span = high - low || 1, at = (value) => (4 + (132 * (value - low)) / span).toFixed(1);
    return (x, wide = 140) => {
      const chart = svg("svg", { viewBox: "0 0 140 14", width: wide, height: 14, "aria-hidden": "true" });
      if (!base.missing) chart.append(svg("line", { x1: at(base.value), x2: at(base.value), y1: 0, y2: 14, stroke: "#8a8a8a", "stroke-dasharray": "2 2" }));
      if (!x.missing) {
        if (Number.isFinite(x.lower)) chart.append(svg("line", { x1: at(Math.max(x.lower, low)), x2: at(Math.min(x.upper, high)), y1: 7, y2: 7, stroke: C.better, "stroke-width": 2 }));
        chart.append(svg("circle", { cx: at(Math.min(Math.max(x.value, low), high)), cy: 7, r: 3, fill: C.better }));
      }
      return chart;
    };
  }
  function range(cells, indices) {
    const found = [];
    for (const i of indices) if (!cells[i].missing) found.push(...[cells[i].value, cells[i].lower, cells[i].upper].filter(Number.isFinite));
    return found.length ? [Math.min(...found), Math.max(...found)] : [0, 1];
  }
  function placeButton(i) {
    const button = el("button", { type: "button", class: "place" }, places[i].name);
    button.addEventListener("click", () => choose(i));
    return button;
  }
  function rowsInOrder(cells) {
    const rows = [...own];
    if (state.o === "name") rows.sort((a, b) => byName.compare(places[a].name, places[b].name));
    if (state.o === "value") rows.sort((a, b) => (cells[a].missing ? 1 : 0) - (cells[b].missing ? 1 : 0) || cells[b].value - cells[a].value || a - b);
    return rows;
  }
  function list({ s, p, cells, base, measure }) {
    const ordinary = own.filter((i) => places[i].ranked), bar = strip(...range(cells, ordinary), base);
    const ranks = D.ranks[state.m] && D.ranks[state.m].year === s.years[p] ? D.ranks[state.m] : null;
    const heads = ["Authority", "Figure (90% interval)", "", ...(ranks ? ["Rank of " + ranks.of + " could be (90%)"] : []), "Beside England"];
    $("list-head").replaceChildren(el("tr", {}, ...heads.map((h) => (h ? el("th", { scope: "col" }, h) : el("td", {})))));
    $("list-caption").textContent = measure.label + marks(measure) + ", " + s.g.toLowerCase() + ", " + state.p;
    $("list").replaceChildren(...rowsInOrder(cells).map((i) => {
      const row = el("tr", i === byCode.get(state.a) ? { class: "chosen" } : {},
        el("th", { scope: "row" }, placeButton(i), el("span", { class: "region" }, places[i].region)), el("td", { class: "number" }, withInterval(cells[i], measure)), el("td", {}, bar(cells[i], 90)));
      if (ranks) row.append(el("td", { class: "number" }, ranks.lower[i] ? ranks.lower[i] + " to " + ranks.upper[i] : "not ranked"));
      row.append(el("td", {}, beside(cells[i], base, measure)));
      return row;
    }));
  }

  // the place
  function place({ s, p }) {
    const i = byCode.get(state.a), year = s.years[p];
    $("place-heading").textContent = places[i].name;
    $("place-under").textContent = places[i].region + (places[i].ranked ? "." : ". Too few children live here to compare or rank it.");
    const tables = el("table", {}, el("caption", {}, "The five domains, latest scores by " + Math.max(year, D.firstScore)), el("thead", {}, el("tr", {}, ...["Domain", "Score (90% interval)", "", "Beside England"].map((h) => (h ? el("th", { scope: "col" }, h) : el("td", {}))))));
    const body = el("tbody", {});
    for (const [id, m] of Object.entries(D.measures)) {
      if (m.kind !== "domain") continue;
      const d = seriesOf(id)[0], at = Math.max(latest(d, year), 0), x = cell(d, at, i), base = cell(d, at, england);
      body.append(el("tr", {}, el("th", { scope: "row" }, m.label + marks(m)), el("td", { class: "number" }, withInterval(x, m)), el("td", {}, strip(-2.5, 2.5, base)(x, 120)), el("td", {}, beside(x, base, m))));
    }
    tables.append(body);
    $("domains").replaceChildren(tables);
    const chosen = D.measures[state.m], section = chosen.kind === "domain" ? chosen.label : chosen.section;
    $("parts-heading").textContent = "Measures under \u201c" + section + "\u201d, newest by " + year;
    const rows = [];
    for (const [id, m] of Object.entries(D.measures)) {
      if (m.kind !== "indicator" || m.section !== section) continue;
      const d = seriesOf(id)[0];
      const at = d ? latest(d, year) : -1;
      if (at < 0) continue;
      const x = cell(d, at, i), base = cell(d, at, england);
      rows.push(el("tr", {}, el("th", { scope: "row" }, m.label + marks(m) + ", " + m.unit), el("td", {}, d.periods[at]), el("td", { class: "number" }, withInterval(x, m)), el("td", { class: "number" }, figure(base, m)), el("td", {}, beside(x, base, m))));
    }
    $("parts").replaceChildren(...rows);
  }

  // charts with axes
  function frame(width, height, [x0, x1], [y0, y1], pad = { left: 56, right: 14, top: 10, bottom: 34 }) {
    const chart = svg("svg", { viewBox: "0 0 " + width + " " + height, role: "img" });
    const x = (v) => pad.left + ((width - pad.left - pad.right) * (v - x0)) / (x1 - x0 || 1);
    const y = (v) => height - pad.bottom - ((height - pad.top - pad.bottom) * (v - y0)) / (y1 - y0 || 1);
    return { chart, x, y, pad, width, height };
  }
  function ticks(low, high, count = 5) {
    const rough = (high - low || 1) / count, size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * size).find((k) => k >= rough) || size * 10, found = [];
    for (let t = Math.ceil(low / step) * step; t <= high + step * 1e-6; t += step) found.push(Math.abs(t) < step * 1e-6 ? 0 : t);
    return { found, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
  }
  function axisY(f, low, high) {
    const t = ticks(low, high);
    for (const v of t.found) {
      f.chart.append(svg("line", { x1: f.pad.left, x2: f.width - f.pad.right, y1: f.y(v), y2: f.y(v), stroke: "#e3e3e3" }));
      f.chart.append(svg("text", { x: f.pad.left - 6, y: f.y(v) + 4, "font-size": 11, "text-anchor": "end" }, number(v, t.decimals)));
    }
  }
  function trend({ s, measure }) {
    const i = byCode.get(state.a), near = places[i].near;
    const cells = s.periods.map((_, p) => cell(s, p, i)), country = s.periods.map((_, p) => cell(s, p, england));
    const middle = s.periods.map((_, p) => {
      const found = near.map((j) => cell(s, p, j)).filter((x) => !x.missing).map((x) => x.value).sort((a, b) => a - b);
      return found.length < 3 ? NaN : (found[Math.floor((found.length - 1) / 2)] + found[Math.ceil((found.length - 1) / 2)]) / 2;
    });
    const every = [...cells, ...country].filter((x) => !x.missing).flatMap((x) => [x.value, x.lower, x.upper]).concat(middle).filter(Number.isFinite);
    if (!every.length) { $("trend").replaceChildren(el("p", {}, "No figures of this measure for " + places[i].name + ".")); $("trend-note").textContent = ""; return; }
    let low = Math.min(...every), high = Math.max(...every);
    const margin = (high - low || 1) * 0.06;
    low -= margin; high += margin;
    const last = s.periods.length - 1, f = frame(620, 270, [-0.4, last + 0.4], [low, high]);
    axisY(f, low, high);
    const skip = Math.ceil(s.periods.length / 7);
    s.periods.forEach((label, p) => {
      if ((last - p) % skip === 0) f.chart.append(svg("text", { x: f.x(p), y: 254, "font-size": 11, "text-anchor": "middle" }, label.replace("measured by ", "")));
    });
    const broken = new Set();
    for (const [year] of measure.breaks) { const p = s.years.findIndex((y) => y >= year); if (p > 0) broken.add(p); }
    for (const p of broken) f.chart.append(svg("line", { x1: f.x(p - 0.5), x2: f.x(p - 0.5), y1: 10, y2: 236, stroke: "#595959", "stroke-dasharray": "5 4" }));
    const line = (values, attributes) => {
      let d = "", pen = false;
      values.forEach((v, p) => {
        if (!Number.isFinite(v)) { pen = false; return; }
        if (broken.has(p)) pen = false;
        d += (pen ? "L" : "M") + f.x(p).toFixed(1) + " " + f.y(v).toFixed(1);
        pen = true;
      });
      f.chart.append(svg("path", { d, fill: "none", "stroke-width": 2, ...attributes }));
      if (attributes["data-dots"]) values.forEach((v, p) => Number.isFinite(v) && f.chart.append(svg("circle", { cx: f.x(p), cy: f.y(v), r: 2.2, fill: attributes.stroke })));
    };
    line(country.map((x) => (x.missing ? NaN : x.value)), { stroke: "#595959", "stroke-dasharray": "7 4", "data-dots": 1 });
    line(middle, { stroke: "#F46A25", "stroke-dasharray": "2 3", "data-dots": 1 });
    line(cells.map((x) => (x.missing ? NaN : x.value)), { stroke: C.better });
    cells.forEach((x, p) => {
      if (x.missing) return;
      if (Number.isFinite(x.lower)) f.chart.append(svg("line", { x1: f.x(p), x2: f.x(p), y1: f.y(x.lower), y2: f.y(x.upper), stroke: C.better, "stroke-width": 1.5 }));
      f.chart.append(svg("circle", { cx: f.x(p), cy: f.y(x.value), r: 4, fill: C.better }));
    });
    f.chart.setAttribute("aria-label", measure.label + " in " + places[i].name + " by period, with 90% intervals: " + s.periods.map((label, p) => label + " " + withInterval(cells[p], measure)).join("; "));
    $("trend").replaceChildren(f.chart);
    $("trend-heading").textContent = measure.label + marks(measure) + " over time";
    $("trend-note").textContent = "Solid line and dots: " + places[i].name + " with 90% intervals. Dashed grey: England. Dotted orange: the middle (median) of its similar places. "
      + (measure.breaks.length ? "Dashed upright lines: before and after cannot be compared as they stand (" + measure.breaks.map(([year, why]) => year + ": " + why.replace(/\.$/, "")).join("; ") + "). " : "")
      + (low > 0 ? "The scale does not start at 0." : "");
  }

  function neighbours({ s, p, measure, base }) {
    const i = byCode.get(state.a), near = places[i].near;
    $("near-heading").textContent = "Places similar to " + places[i].name;
    $("near-note").textContent = near.length ? D.nearLabel + ". Look at all of them together, never at one." : "There is no published list of similar places for " + places[i].name + ".";
    const line = (j) => el("tr", j === i ? { class: "chosen" } : {}, el("th", { scope: "row" }, placeButton(j)), el("td", { class: "number" }, withInterval(cell(s, p, j), measure)), el("td", {}, beside(cell(s, p, j), base, measure)));
    $("near").replaceChildren(...[i, ...near].map(line));
  }

  function scatter({ s, p, measure, cells }) {
    const second = D.measures[state.x], t = seriesOf(state.x)[0], q = Math.max(latest(t, s.years[p]), 0);
    const pairs = own.filter((i) => places[i].ranked).map((i) => [i, cells[i], cell(t, q, i)]).filter(([, a, b]) => !a.missing && !b.missing);
    const xs = pairs.map(([, a]) => a.value), ys = pairs.map(([, , b]) => b.value);
    if (state.x === state.m || pairs.length < 3) {
      $("scatter").replaceChildren(el("p", {}, state.x === state.m ? "Choose two different measures." : "Fewer than three authorities have both figures."));
      $("scatter-note").textContent = "";
      return;
    }
    const wide = ([a, b]) => [a - (b - a || 1) * 0.05, b + (b - a || 1) * 0.05];
    const rx = wide([Math.min(...xs), Math.max(...xs)]), ry = wide([Math.min(...ys), Math.max(...ys)]);
    const f = frame(860, 420, rx, ry, { left: 60, right: 20, top: 26, bottom: 46 });
    axisY(f, ...ry);
    const t0 = ticks(...rx, 7);
    for (const v of t0.found) f.chart.append(svg("text", { x: f.x(v), y: 392, "font-size": 11, "text-anchor": "middle" }, number(v, t0.decimals)));
    f.chart.append(svg("text", { x: 60, y: 14, "font-size": 12 }, second.label + marks(second) + ", " + second.unit + ", " + t.periods[q]));
    f.chart.append(svg("text", { x: 840, y: 412, "font-size": 12, "text-anchor": "end" }, measure.label + marks(measure) + ", " + measure.unit + ", " + s.periods[p]));
    for (const [i, a, b] of pairs) {
      const dot = svg("circle", { cx: f.x(a.value), cy: f.y(b.value), r: 4.2, fill: "#12436D", "fill-opacity": 0.55, cursor: "pointer" });
      dot.append(svg("title", {}, places[i].name + ": " + figure(a, measure) + " and " + figure(b, second)));
      dot.addEventListener("click", () => choose(i));
      f.chart.append(dot);
    }
    const chosen = pairs.find(([i]) => i === byCode.get(state.a));
    if (chosen) {
      const [i, a, b] = chosen, right = f.x(a.value) < 700;
      for (const x of [["lower", "upper"]]) {
        if (Number.isFinite(a.lower)) f.chart.append(svg("line", { x1: f.x(Math.max(a[x[0]], rx[0])), x2: f.x(Math.min(a[x[1]], rx[1])), y1: f.y(b.value), y2: f.y(b.value), stroke: "#B84A12", "stroke-width": 2 }));
        if (Number.isFinite(b.lower)) f.chart.append(svg("line", { x1: f.x(a.value), x2: f.x(a.value), y1: f.y(Math.max(b[x[0]], ry[0])), y2: f.y(Math.min(b[x[1]], ry[1])), stroke: "#B84A12", "stroke-width": 2 }));
      }
      f.chart.append(svg("circle", { cx: f.x(a.value), cy: f.y(b.value), r: 5, fill: "#B84A12" }));
      f.chart.append(svg("text", { x: f.x(a.value) + (right ? 9 : -9), y: f.y(b.value) - 8, "font-size": 13, "font-weight": "bold", "text-anchor": right ? "start" : "end", stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" }, places[i].name));
    }
    f.chart.setAttribute("aria-label", pairs.length + " authorities by " + measure.label + " and " + second.label + ". Both figures of every authority are in the tables.");
    $("scatter").replaceChildren(f.chart);
    $("scatter-note").textContent = D.areas + " What two measures share may come from something else, such as child poverty; the report and notebooks allow for that. The scales need not start at 0.";
  }

  function about({ s, p, measure }) {
    const entries = [["What it is", measure.what], ["Why it is contested", measure.contested], ["What to mind", measure.mind], ["Source", measure.source], ["Data as at", D.asAt]];
    $("about").replaceChildren(...entries.filter(([, text]) => text).flatMap(([head, text]) => [el("dt", {}, head), el("dd", {}, text)]));
  }

  function csv({ s, p, cells, base, measure }) {
    // a cell that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers
    const text = (v) => { const t = /^[=+\-@\t\r]/.test(v) ? "'" + v : v; return /[",\n]/.test(t) ? '"' + t.replace(/"/g, '""') + '"' : t; };
    const lines = [["area_code", "area_name", "region", "measure", "group", "period", "unit", "value", "lower", "upper", "level", "england", "beside_england", "note", "source", "data_as_at"].join(",")];
    for (const i of own) {
      const x = cells[i], known = !x.missing, bounded = known && Number.isFinite(x.lower);
      lines.push([text(places[i].code), text(places[i].name), text(places[i].region), text(measure.label + marks(measure)), text(s.g), text(s.periods[p]), text(measure.unit),
        known ? x.value : "", bounded ? x.lower : "", bounded ? x.upper : "", bounded ? 0.9 : "", base.missing ? "" : base.value, text(WORDS[standing(x, base, measure.direction)]), text(x.missing || x.withheld || ""), text(measure.source || D.title), D.asAt].join(","));
    }
    lines.push("", text(D.notice), text(D.licence));
    const link = el("a", { href: URL.createObjectURL(new Blob(["\ufeff" + lines.join("\r\n")], { type: "text/csv" })), download: state.m + "-" + s.periods[p].replace(/[^0-9A-Za-z]+/g, "-") + ".csv" });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // state and controls
  function settle() {
    if (!D.measures[state.m] || !seriesOf(state.m).length) state.m = D.first;
    const choices = seriesOf(state.m);
    if (!choices.some((s) => s.g === state.g)) state.g = choices[0].g;
    const s = current();
    if (!s.periods.includes(state.p)) state.p = s.periods[s.periods.length - 1];
    if (!byCode.has(state.a) || places[byCode.get(state.a)].kind !== "authority") state.a = D.firstPlace;
    if (!D.measures[state.x] || !seriesOf(state.x).length) state.x = D.second;
    if (!["map", "hex"].includes(state.v)) state.v = "map";
    if (!["england", "fifths"].includes(state.c)) state.c = "england";
    if (!["region", "name", "value"].includes(state.o)) state.o = "region";
  }
  function fill(select, options, value) {
    if (select.dataset.of !== JSON.stringify(options)) {
      select.replaceChildren(...options.map(([v, label]) => el("option", { value: v }, label)));
      select.dataset.of = JSON.stringify(options);
    }
    select.value = value;
  }
  let drawn = "";
  function remembered() {
    const link = "#" + Object.entries(state).map(([k, v]) => k + "=" + encodeURIComponent(v)).join("&");
    if (location.hash !== link) history.replaceState(null, "", link);
  }
  // what a control changes alone is drawn alone
  function redraw(part, id, key) {
    $(id).addEventListener("change", (event) => { state[key] = event.target.value; settle(); part(paint()); remembered(); });
  }
  function show({ write = true } = {}) {
    settle();
    const s = current();
    $("measure").value = state.m;
    $("second").value = state.x;
    fill($("group"), seriesOf(state.m).map((x) => [x.g, x.g]), state.g);
    fill($("period"), s.periods.map((x) => [x, x]), state.p);
    $("order").value = state.o;
    for (const input of document.querySelectorAll("[name=view]")) input.checked = input.value === state.v;
    for (const input of document.querySelectorAll("[name=colour]")) input.checked = input.value === state.c;
    if (drawn !== state.v) { drawMaps(); drawn = state.v; }
    const now = paint();
    for (const [i, nodes] of shapes) for (const node of nodes) node.classList.toggle("chosen", places[i].code === state.a);
    for (const node of shapes.get(byCode.get(state.a)) || []) if (state.v === "hex") node.parentNode.insertBefore(node, shapes.get(own[0]).label); else node.parentNode.append(node);
    list(now); place(now); trend(now); neighbours(now); scatter(now); about(now);
    if (write) remembered();
  }
  function choose(i) {
    if (places[i].kind !== "authority") return;
    state.a = places[i].code;
    show();
    $("said").textContent = "Showing " + places[i].name + ".";
  }
  function read() {
    for (const part of location.hash.slice(1).split("&")) {
      const at = part.indexOf("=");
      if (at > 0 && Object.hasOwn(state, part.slice(0, at))) {
        try { state[part.slice(0, at)] = decodeURIComponent(part.slice(at + 1)); } catch { /* a broken link shows the default */ }
      }
    }
  }
  function listen() {
    const on = (id, key) => $(id).addEventListener("change", (event) => { state[key] = event.target.value; show(); $("said").textContent = $("finding").textContent; });
    on("measure", "m"); on("group", "g"); on("period", "p");
    redraw(scatter, "second", "x"); redraw(list, "order", "o");
    for (const input of document.querySelectorAll("[name=view]")) input.addEventListener("change", () => { state.v = input.value; show(); });
    for (const input of document.querySelectorAll("[name=colour]")) input.addEventListener("change", () => { state.c = input.value; show(); });
    $("controls").addEventListener("submit", (event) => { event.preventDefault(); find(true); });
    $("search").addEventListener("change", () => find(true));
    $("search").addEventListener("input", () => find(false));
    $("download").addEventListener("click", () => csv(paint()));
    window.addEventListener("hashchange", () => { read(); show({ write: false }); });
  }
  function find(told) {
    const wanted = $("search").value.trim().toLowerCase();
    if (!wanted) return;
    const exact = own.filter((i) => places[i].name.toLowerCase() === wanted || places[i].code.toLowerCase() === wanted);
    const near = exact.length ? exact : own.filter((i) => places[i].name.toLowerCase().includes(wanted));
    if (exact.length === 1 || (told && near.length === 1)) choose(near[0]);
    else if (told) $("said").textContent = near.length ? near.length + " places match: " + near.slice(0, 6).map((i) => places[i].name).join(", ") + "." : "No authority here is called \u201c" + $("search").value + "\u201d.";
  }
  function options(select) {
    const sections = new Map();
    for (const [id, m] of Object.entries(D.measures)) {
      if (!seriesOf(id).length) continue;
      if (!sections.has(m.section)) sections.set(m.section, el("optgroup", { label: m.section }));
      sections.get(m.section).append(el("option", { value: id }, m.label + marks(m)));
    }
    select.append(...sections.values());
  }

  async function start() {
    if (typeof DecompressionStream === "undefined") throw new Error("This browser is too old to open the figures. Any Edge, Chrome, Firefox or Safari since 2023 will do.");
    F = await unpack($("figures").textContent);
    options($("measure")); options($("second"));
    $("names").append(...own.map((i) => el("option", { value: places[i].name })));
    read(); listen(); show({ write: false });
    document.documentElement.dataset.ready = "yes";
  }
  start().catch((error) => { $("trouble").hidden = false; $("trouble").textContent = "The atlas could not be shown: " + error.message; });
})();
