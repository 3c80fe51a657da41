"""Files that are zip archives of XML inside, read so that a hostile one can do no harm."""

import io
import zipfile
import zlib
from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST_CONTENT = 200_000_000
"""Bytes of XML and text that are unpacked from one file."""
DAMAGED = "the file is damaged: it can't be unpacked"
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


class Zipped:
    """The entries of a zip archive; what is read from it is counted."""

    def __init__(self, raw: bytes) -> None:
        """Open the archive.

        Raises:
            ValueError: it is none, or is damaged.
        """
        try:
            self._file = zipfile.ZipFile(io.BytesIO(raw))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise ValueError(DAMAGED) from error
        self._left = LARGEST_CONTENT
        self.names = frozenset(self._file.namelist())

    def read(self, name: str) -> bytes:
        """Return the bytes of an entry.

        Raises:
            ValueError: there is none, it is encrypted or damaged, or all are too large.
        """
        try:
            entry = self._file.getinfo(name)
            if entry.flag_bits & 1:
                raise ValueError("the file is encrypted: it asks for a password")
            with self._file.open(entry) as opened:
                content = opened.read(self._left + 1)
        except KeyError as error:
            raise ValueError("the file is damaged: a part of it is missing") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise ValueError(DAMAGED) from error
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"unpacked it is larger than {LARGEST_CONTENT // 1_000_000} MB")
        return content

    def measure(self) -> None:
        """Unpack all XML once, for a reader that knows no limit.

        Raises:
            ValueError: as ``read``.
        """
        for entry in self.names:
            if entry.lower().endswith((".xml", ".rels")):
                self.read(entry)
        self._left = LARGEST_CONTENT

    def xml(self, name: str) -> "Element":
        """Return the root of an entry that is XML.

        Raises:
            ValueError: as ``read``, or it is no XML, or declares entities.
        """
        return parse_xml(self.read(name))

    def targets(self, name: str) -> dict[str, tuple[str, str]]:
        """Return what an entry of an Office file refers to: id → (kind, name of the entry)."""
        rels = join(dirname(name), "_rels", name.rpartition("/")[2] + ".rels")
        if rels not in self.names:
            return {}
        found = {}
        for relation in self.xml(rels).iter(_RELATIONSHIP):
            if relation.get("TargetMode") != "External":
                kind = relation.get("Type", "").rpartition("/")[2]
                entry = resolved(name, relation.get("Target", ""))
                found[relation.get("Id", "")] = (kind, entry)
        return found


def resolved(base: str, target: str) -> str:
    """Return the entry that ``target``, an address within the archive, names in ``base``."""
    path = unquote(urlsplit(target).path) if not target.startswith("//") else ""
    return normpath(join("/", dirname(base), path)).lstrip("/")


def parse_xml(raw: bytes) -> "Element":
    """Return the root of XML that declares no entities of its own.

    Raises:
        ValueError: it is no XML, or declares entities.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException, ElementTree

    try:
        root: Element = ElementTree.fromstring(raw)
    except DefusedXmlException as error:
        raise ValueError("its XML declares entities, which documents have no need of") from error
    except (ParseError, LookupError, ValueError) as error:
        raise ValueError("the file is damaged: its XML can't be read") from error
    return root
