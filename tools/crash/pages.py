"""Damages chosen places of an LMDB data file; where they are, Sources/Storage/LMDB/PageFormat.swift tells."""

import struct

PAGE = 4096


class DataFile:
    """The bytes of a data file, to be changed and saved."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.content = bytearray(file.read())

    def save(self):
        # In place: who has the file open sees the same damage.
        with open(self.path, "r+b") as file:
            file.write(self.content)

    def number(self, kind, offset):
        return struct.unpack_from("<" + kind, self.content, offset)[0]

    def newest(self):
        """The page, 0 or 1, of the last commit."""
        return max(0, 1, key=lambda page: self.number("Q", page * PAGE + 144))

    def tables_pages(self):
        """The page on which the last commit names its tables, in a database of so few that one is enough."""
        return [self.number("Q", self.newest() * PAGE + 128)]

    def entries(self, page):
        """Offset, key and the size of the value of each entry of a leaf."""
        start = page * PAGE
        for index in range((self.number("H", start + 12) - 16) // 2):
            node = start + self.number("H", start + 16 + 2 * index)
            length = self.number("H", node + 6)
            yield node, bytes(self.content[node + 8:node + 8 + length]), self.number("I", node)

    def root(self, table):
        """The root page of a table; None for one without entries."""
        main = self.number("Q", self.newest() * PAGE + 128)
        for node, key, _ in self.entries(main):
            if key == table.encode():
                root = self.number("Q", node + 8 + len(key) + 40)
                return root if root < len(self.content) // PAGE else None
        raise KeyError(table)

    def damage_records(self, table):
        """Changes a bit in the value of every third derived record of a table's first leaf."""
        page = self.root(table)
        while self.number("H", page * PAGE + 10) == 1:
            page = self.number("I", page * PAGE + self.number("H", page * PAGE + 16))
        for number, (node, key, size) in enumerate(self.entries(page)):
            # Of row sets, those of spaces (kind 2) follow from nothing.
            if number % 3 or (table == "sets" and key[0] == 2):
                continue
            place = node + 8 + len(key)
            if self.number("H", node + 4) & 1:
                place = self.number("Q", place) * PAGE + 16
            self.content[place + size // 2] ^= 4

    def damage_page(self, table):
        """Makes the root page of a table one of no kind."""
        self.content[self.root(table) * PAGE + 10] = 0x40

    def damage_older_page(self, damage):
        """Zeroes that of the first two pages which is not of the last commit, or fills it with noise."""
        start, length = (1 - self.newest()) * PAGE, 152
        noise = bytes((31 * index + 7) % 251 for index in range(length))
        self.content[start:start + length] = noise if damage == "noise" else bytes(length)
