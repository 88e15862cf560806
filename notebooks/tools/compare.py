"""Two outputs of a cell, compared by their pattern: numbers, and how far a number moves what is beside it, differ by machine."""
import difflib
import re
import xml.etree.ElementTree as xml
from html.parser import HTMLParser

NUMBER = r"[-−+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?f?"
NEAR = r"(?<![A-Za-z_\d])"  # not the 1 of W1


def pattern_of_text(text):
    """'not a number', infinities and words stay, so they are seen."""
    text = re.sub(rf"{NEAR}{NUMBER}(?:\s*(?:ns|µs|us|ms|s)\b)", "# s", text)
    text = re.sub(rf"{NEAR}{NUMBER}", "#", text)
    text = re.sub(r"[─-▟⠀-⣿]+", "─", text)  # lines of tables, bars and curves
    text = re.sub(r"-{3,}|={3,}", "─", text)
    return "\n".join(" ".join(line.split()) for line in text.strip().split("\n"))


class Html(HTMLParser):
    """The tags in their order, without attributes, and the text between."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def handle_starttag(self, tag, attrs):
        self.parts.append(f"<{tag}>")

    def handle_endtag(self, tag):
        self.parts.append(f"</{tag}>")

    def handle_data(self, data):
        if data.strip():
            self.parts.append(pattern_of_text(data))


def pattern_of_html(text):
    parser = Html()
    parser.feed(text)
    parser.close()
    return "\n".join(parser.parts)


def pattern_of_svg(text):
    """Its title, which kinds of shapes it has, and its words."""
    try:
        root = xml.fromstring(text)
    except xml.ParseError as error:
        return f"not an SVG: {error}"
    name = lambda element: element.tag.rpartition("}")[2]
    every = [element for element in root.iter() if isinstance(element.tag, str)]
    title = next((pattern_of_text(element.text or "") for element in every if name(element) == "title"), None)
    words = {pattern_of_text(" ".join(element.itertext())) for element in every if name(element) in ("text", "title")}
    return "\n".join([f"title: {title}", "shapes: " + " ".join(sorted({name(element) for element in every})),
                      *sorted(word for word in words if re.search(r"[^\W\d_]", word.replace("# s", "")))])


def bundle(data):
    rich = {"image/svg+xml": pattern_of_svg, "text/html": pattern_of_html}
    parts = []
    for kind in sorted(data):
        text = data[kind] if isinstance(data[kind], str) else "".join(data[kind])
        parts.append(f"{kind}:\n{rich.get(kind, pattern_of_text)(text)}")
    return "\n".join(parts)


def pattern(outputs):
    """Of all outputs of one cell. Streams that follow each other are one: where they are cut is a matter of time."""
    parts, stream, text = [], None, ""

    def flush():
        if text.strip():
            parts.append(f"{stream}:\n{pattern_of_text(text)}")

    for output in outputs:
        if output["output_type"] == "stream":
            if output["name"] != stream:
                flush()
                stream, text = output["name"], ""
            text += "".join(output["text"])
            continue
        flush()
        stream, text = None, ""
        if output["output_type"] == "error":
            parts.append(f"error {output['ename']}:\n{pattern_of_text(output['evalue'])}")
        else:
            parts.append(bundle(output["data"]))
    flush()
    return "\n".join(parts)


def differences(committed, now):
    """(number of a cell of code, how the pattern of its outputs differs) for each that differs."""
    found = []
    for number, (was, is_) in enumerate(zip(committed, now, strict=True), 1):
        a, b = pattern(was).split("\n"), pattern(is_).split("\n")
        if a != b:
            found.append((number, "\n".join(difflib.unified_diff(a, b, "committed", "now", n=2, lineterm=""))))
    return found
