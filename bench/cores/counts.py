"""Sums the calls of swift_retain that counts has recorded: lines of a thread's number and an object's address."""

import collections
import re
import sys

# Addresses of a process end here; above are texts that lie in the pointer itself and are not counted.
ADDRESS_LIMIT = 1 << 47


def main():
    counts = collections.defaultdict(collections.Counter)
    for line in sys.stdin:
        if found := re.match(r"\s*(\d+)\b.*object=(0x[0-9a-f]+|\d+)", line):
            thread, address = found[1], int(found[2], 0)
            if 0 < address < ADDRESS_LIMIT:
                counts[address][thread] += 1
    # Memory that one thread gave back and another got is counted too, some few times each.
    others = sorted((sum(sorted(of.values())[:-1]) for of in counts.values()), reverse=True)
    print(f"{sum(sum(of.values()) for of in counts.values()):,} counts; of objects that another thread counted more often "
          f"{sum(others):,}, the most of one object {', '.join(f'{count:,}' for count in others[:3])}")


if __name__ == "__main__":
    main()
