"""The layers of the code: a file imports only lower layers, and no two files import each other.

The order of the layers is the list below, the lowest first; those on one line do not import each other.
"""

import re
import sys
from pathlib import Path

LAYERS = [
    {"one_line"},
    {"error"},
    {"address", "aws", "calendar", "counted"},
    {"json"},
    {"transform"},
    {"extract", "load", "schema"},
    {"config", "progress", "report"},
    {"job", "metrics"},
    {"inspect", "page"},
    {"output"},
    {"main", "bin"},
]
SOURCE = Path(__file__).parent.parent / "src"
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
IMPORT = re.compile(r"\b(?:crate|rollcall)::([a-z_]+(?:::[a-z_]+)*)")
SIBLING = re.compile(r"^use (self|super(?:::super)*)::([a-z_]+)", re.MULTILINE)


def module(path):
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "mod" else parts


def imports(path, modules):
    """The modules that a file names, as paths from the root of the crate; its tests do not count."""
    text = path.read_text().split("#[cfg(test)]\nmod tests")[0]
    text = re.sub(r"//.*", "", text)
    here = module(path)
    named = [tuple(found.split("::")) for found in IMPORT.findall(text)]
    for base, name in SIBLING.findall(text):
        up = 0 if base == "self" else base.count("super")
        named.append(here[: len(here) - up] + (name,))
    for name in named:
        while name and name not in modules:
            name = name[:-1]
        if name and name != here and here[: len(name)] != name:
            yield name


def cycle(graph):
    """One ring of files that import each other, if there is one."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node) :] + [node]
        if node not in done:
            path.append(node)
            for other in graph[node]:
                if ring := visit(other):
                    return ring
            done.add(path.pop())
        return None

    return next((ring for node in graph if (ring := visit(node))), None)


def main():
    files = {module(path): path for path in sorted(SOURCE.rglob("*.rs")) if path.name != "lib.rs"}
    graph = {name: sorted(set(imports(path, files))) for name, path in files.items()}
    errors = []
    for name, named in graph.items():
        if name[0] not in RANK:
            errors.append(f"{'/'.join(name)} is in no layer")
            continue
        for other in named:
            if other[0] != name[0] and RANK[other[0]] >= RANK[name[0]]:
                errors.append(f"{'/'.join(name)} imports {'/'.join(other)}, which is no lower layer")
    if ring := cycle(graph):
        errors.append("these import each other: " + " -> ".join("/".join(name) for name in ring))
    print("\n".join(errors) if errors else f"layers: {len(files)} files, arrows only downward")
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main())
