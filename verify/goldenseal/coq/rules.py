"""What can be said about the sources without compiling them."""

from collections.abc import Iterator

from goldenseal.coq.banned import banned
from goldenseal.coq.project import LIBRARIES, PROJECT_FILE, Project, Source, unlisted
from goldenseal.coq.recursion import recursions


def source_findings(project: Project) -> list[str]:
    """One line, with file and line, for each banned word, recursion outside the admitted shape,
    foreign requirement and unlisted file.
    """
    findings = [
        f"{file}: is not listed in {PROJECT_FILE}, so nothing checks it; list it or remove it"
        for file in unlisted(project)
    ]
    for source in project.sources:
        findings += [
            f"{source.file}:{finding.line}: {finding.text}" for finding in banned(source.sentences)
        ]
        findings += _foreign(project, source)
    return findings + recursions(project)[1]


def _foreign(project: Project, source: Source) -> Iterator[str]:
    modules = {each.module for each in project.sources}
    for library, module, line in source.requires():
        name = f"{library}.{module}" if library else module
        root, _, rest = name.partition(".")
        if root in LIBRARIES or (root == project.prefix and rest in modules):
            continue
        yield (
            f"{source.file}:{line}: requires {name}, which is neither listed in {PROJECT_FILE} "
            f"nor in an allowed library; write `From {project.prefix}` or `From Coq`"
        )


def library_modules(project: Project) -> list[tuple[str, str]]:
    """(root, rest) of every library module that the sources require, e.g. ("Coq", "Reals")."""
    names = set()
    for source in project.sources:
        for library, module, _ in source.requires():
            root, _, rest = (f"{library}.{module}" if library else module).partition(".")
            if root in LIBRARIES:
                names.add((root, rest))
    return sorted(names)
