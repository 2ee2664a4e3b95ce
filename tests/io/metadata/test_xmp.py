import pytest

from samelight.io.metadata.xmp import has_gain_map, upright_xmp, without_appended


@pytest.mark.parametrize(
    "form", [b'tiff:Orientation="%d"', b"tiff:Orientation = '%d'", b"<tiff:Orientation>%d</tiff:O>"]
)
def test_only_the_orientation_changes(form):
    assert upright_xmp(b"<a " + form % 6 + b"/>") == b"<a " + form % 1 + b"/>"


def test_what_speaks_of_data_behind_the_picture_goes():
    packet = (
        b'<rdf:Description hdrgm:Version="1.0" dc:title="a \'b\'" GCamera:MotionPhoto="1"'
        b' xmpNote:HasExtendedXMP="ABC"><Container:Directory><rdf:Seq/></Container:Directory>'
        b"<hdrgm:GainMapMax>4</hdrgm:GainMapMax><dc:subject/></rdf:Description>"
    )
    assert has_gain_map(packet)
    kept = b"<rdf:Description dc:title=\"a 'b'\"><dc:subject/></rdf:Description>"
    assert without_appended(packet) == kept
    assert without_appended(kept) == kept
    assert not has_gain_map(kept)
