"""The page of the API: plain HTML made of the OpenAPI document. No script, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from typing import Any, Final

_CODE = re.compile(r"`([^`]+)`")
_NO_LETTERS = re.compile(r"[^a-z0-9]+")

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #57606a; --paper: #fff; --edge: #d0d7de;
  --soft: #f6f8fa; --link: #0550ae; --get: #1a7f37; --post: #0550ae; --put: #7d4e00;
  --delete: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --dim: #9da7b3; --paper: #0d1117;
  --edge: #30363d; --soft: #161b22; --link: #79b8ff; --get: #56d364; --post: #79b8ff;
  --put: #e3b341; --delete: #ff8f88; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem 1.5rem 4rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible, pre:focus-visible { outline: 3px solid var(--link);
  outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
code, pre { font: .9rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { background: var(--soft); border: 1px solid var(--edge); border-radius: .4rem;
  padding: .6rem .8rem; overflow-x: auto; overflow-wrap: normal; }
section.route { border-top: 1px solid var(--edge); padding: .4rem 0; scroll-margin-top: 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.3rem; margin-top: 2.2rem; }
h3 { font-size: 1rem; margin: .7rem 0 .3rem; }
.method { display: inline-block; min-width: 4.4rem; font-weight: 700; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); }
.delete { color: var(--delete); }
.dim, dt { color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dd { margin: 0; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; border-bottom: 1px solid var(--edge);
  padding: .3rem .6rem .3rem 0; }
summary { cursor: pointer; padding: .3rem 0; }
nav ul { columns: 18rem; padding-left: 1.2rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } }
"""
#: Nothing but this page's own style is used, and no other page may hold it in a frame.
CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def render(document: dict[str, Any]) -> str:
    """Return the page that shows an OpenAPI document."""
    info = document["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    groups = [_group(tag, document) for tag in document["tags"]]
    schemas = "".join(
        _schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())
    )
    contents = "".join(
        f'<li><a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a></li>'
        for tag in [*document["tags"], {"name": "Shapes"}]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#main">Skip to the routes</a>\n'
        f"<header><h1>{title}</h1>\n{_text(info['description'])}\n"
        "<p>In the examples <code>$ENGINE</code> is the address that the engine printed when it "
        "started, up to the port. <code>token.txt</code> holds one line, <code>X-Auth-Token: "
        "</code> and a token, so that no list of processes shows it.</p>\n"
        '<p>For programs: <a href="/dlim/v1/docs/openapi.json">openapi.json</a></p></header>\n'
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>\n<main id="main">\n'
        + "".join(groups)
        + f'<h2 id="shapes">Shapes</h2>\n{schemas}</main>\n</body>\n</html>\n'
    )


def _group(tag: dict[str, Any], document: dict[str, Any]) -> str:
    routes = "".join(
        _route(method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if tag["name"] in operation["tags"]
    )
    name = tag["name"]
    return f'<h2 id="{_anchor(name)}">{escape(name)}</h2>\n{_text(tag["description"])}\n{routes}'


def _route(method: str, path: str, operation: dict[str, Any]) -> str:
    facts: list[tuple[str, str]] = []
    if permission := operation.get("x-edi-permission"):
        facts.append(("Permission", escape(permission)))
    elif operation["security"]:
        facts.append(("Login", "<code>Authorization: Basic</code>"))
    else:
        facts.append(("Permission", "none needed"))
    facts += [
        (f"<code>{escape(item['name'])}</code>", _inline(item["description"]))
        for item in operation.get("parameters", [])
        if "description" in item
    ]
    if body := operation.get("requestBody"):
        facts.append(("Takes", _kinds(body["content"])))
    responses = operation["responses"]
    facts.append(("Answers", _kinds(responses["200"]["content"])))
    refused = [
        f"{status} {escape(response['description'])}"
        for status, response in responses.items()
        if status not in ("200", "default")
    ]
    if refused:
        facts.append(("Refuses with", ", ".join(refused)))
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return (
        f'<section class="route" id="{_anchor(operation["operationId"])}">'
        f'<h3><span class="method {method}">{method.upper()}</span><code>{escape(path)}</code></h3>'
        f"<p>{_inline(operation['summary'])}.</p>{_text(operation.get('description', ''))}"
        f'<dl>{rows}</dl><pre tabindex="0" aria-label="Example">{escape(_example(method, path, operation))}</pre>'  # noqa: E501
        "</section>\n"
    )


def _example(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = ["curl"] if method == "get" else ["curl", "-X", method.upper()]
    if operation.get("x-edi-permission"):
        parts.append("-H @token.txt")
    elif operation["security"]:
        parts.append('-u "$USER"')
    content = operation.get("requestBody", {}).get("content", {})
    if "application/octet-stream" in content:
        parts.append("--data-binary @package.tar.gz -H 'Content-Type: application/octet-stream'")
    elif content:
        parts.append("-d @body.json")
    query = "&".join(
        f"{item['name']}=…" for item in operation.get("parameters", []) if item["in"] == "query"
    )
    parts.append(f'"$ENGINE{path}{"?" + query if query else ""}"')
    return " ".join(parts)


def _kinds(content: dict[str, Any]) -> str:
    return " or ".join(
        f"<code>{escape(kind)}</code> {_type(media.get('schema', {}))}".rstrip()
        for kind, media in content.items()
    )


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a value in words, as HTML."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{_anchor("shape " + name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(item) for item in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(str(kind))


def _schema(name: str, schema: dict[str, Any]) -> str:
    required = set(schema.get("required", []))
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(item)}</td>"
        f"<td>{'yes' if field in required else 'no'}</td>"
        f"<td>{_inline(item.get('description', ''))}</td></tr>"
        for field, item in schema.get("properties", {}).items()
    )
    head = (
        '<tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Required</th>'
        '<th scope="col">Meaning</th></tr>'
    )
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""
    return (
        f'<details id="{_anchor("shape " + name)}"><summary><code>{escape(name)}</code></summary>'
        f"{_text(schema.get('description', ''))}{table}</details>\n"
    )


def _text(text: str) -> str:
    """Return paragraphs of a text; blank lines part them."""
    return "".join(f"<p>{_inline(part)}</p>" for part in text.split("\n\n") if part.strip())


def _inline(text: str) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def _anchor(name: str) -> str:
    return _NO_LETTERS.sub("-", name.lower()).strip("-")
