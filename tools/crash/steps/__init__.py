"""What the crash tests do to a database, command by command, and what each command must leave in it.

A step knows its command line and the states that a database may be in while it runs: those of its transactions, one
after another. Ended at any moment, it leaves one of them, and given again it goes on to the last.
"""

from .cells import Delete, Import, ImportStream, Ingest, Update, UpdateByTable
from .files import Backup, Compact, Merge, Renumber, Repair
from .spaces import DropField, DropHead, DropSpace, Index, Predict, RenameField, RenameSpace, Train
