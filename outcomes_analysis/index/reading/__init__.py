"""Reading an index: a score taken apart, two indices side by side, a domain beside places of similar poverty."""
