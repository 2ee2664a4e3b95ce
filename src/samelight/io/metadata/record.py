"""What a photo's file says beside its pixels, whatever container it came in."""

from dataclasses import dataclass
from typing import NamedTuple

from samelight.io.metadata.photoshop import has_paths
from samelight.types import Note

# The formats with a place for Photoshop's image resources.
_WITH_RESOURCES = ("JPEG", "TIFF")


class Own(NamedTuple):
    """A block that only its own format can hold."""

    format: str
    name: str
    """As the format calls it, such as "tEXt"."""
    body: bytes
    meaning: str | None
    """What is lost without it, in words; None if other formats say it otherwise."""


@dataclass(frozen=True)
class Metadata:
    """What a file says about its photo; each block without its container's wrapping.

    Attributes:
        exif: a TIFF structure that begins with II or MM.
        xmp: packet of XML.
        iptc: data sets of IPTC-IIM.
        photoshop: image resources other than IPTC, such as clipping paths.
        pixels_per_mm: across and down, as the file says for print.
        own: blocks that only their own format can hold.
        associated_alpha: whether the file holds colours that are multiplied by its alpha.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    photoshop: bytes | None = None
    pixels_per_mm: tuple[float, float] | None = None
    own: tuple[Own, ...] = ()
    associated_alpha: bool = False

    def lost_in(self, name: str) -> list[str]:
        """What of the formats' own blocks another format loses, in words, each once.

        Args:
            name: of the other format.
        """
        foreign = [block.meaning for block in self.own if block.format != name]
        if name not in _WITH_RESOURCES and self.photoshop and has_paths(self.photoshop):
            foreign.append("clipping paths")
        return list(dict.fromkeys(meaning for meaning in foreign if meaning is not None))


class Found(NamedTuple):
    """What a container's reader found in a file."""

    metadata: Metadata
    profile: bytes | None = None
    """What the file says about its colours by other means than an ICC profile, as one."""
    overrides_icc: bool = False
    """Whether that goes before an ICC profile which the file has as well."""
    notes: tuple[Note, ...] = ()
