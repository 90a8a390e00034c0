"""What the catalog knows of a task: data, and how an address on the hub is put together."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HubFiles:
    """Where a task's files lie on the Hugging Face hub.

    repository: `owner/name` of a dataset. revision: a commit, 40 hexadecimal digits: a branch may
    hold other data tomorrow. files: split -> path in the repository. sha256: split -> SHA-256 of
    the file's bytes, where it is known.
    """

    repository: str
    revision: str
    files: Mapping[str, str]
    sha256: Mapping[str, str] = field(default_factory=dict)

    def address(self, split: str) -> str:
        """What `remote.fetch` takes for this split's file."""
        return f"hf://datasets/{self.repository}@{self.revision}/{self.files[split]}"


@dataclass(frozen=True)
class Entry:
    """One task.

    format: a name of `formats.FORMATS`; kind: a name of `kinds.KINDS`.
    folder: name of its folder beneath the data folder (or beneath its `glues/`); "." where its
        files lie in several folders, which their names then hold.
    files: split -> names under which the file goes around, the first being the usual one. A split
        without a file is cut from train ("dev") or does without ("test").
    counts: split -> examples in the complete file, as read: after what the format drops. A partial
        download is noticed by it. Left out where the number is not known for sure.
    checksums: file's name -> SHA-256 of copies known to be right. Another copy may be as good (a
        later release, other line ends); it only cannot be vouched for.
    metrics: names of the figures that scoring gives, the one by which models are compared first.
    source, licence, citation: where the files come from, under what terms, and what to cite.
    hub: the same files on the hub; None where they are not there as files that are read here.
    aliases: label in some of the files -> the task's own name of it.
    drop_ids_of: a split whose examples must not be trained on though train holds them, told by id.
    note: what a person should read before training.
    """

    name: str
    title: str
    kind: str
    format: str
    folder: str
    files: Mapping[str, tuple[str, ...]]
    metrics: tuple[str, ...]
    source: str
    licence: str
    citation: str
    counts: Mapping[str, int] = field(default_factory=dict)
    checksums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hub: HubFiles | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    drop_ids_of: str | None = None
    note: str = ""
