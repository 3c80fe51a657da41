"""Kinds of files by name: what is read, what is known but not read yet, and what never is.

The tables are what a person would expect of a search over documents: text that somebody wrote is
read; data, media and office files are counted by kind.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

DocumentKind = Literal["markdown", "rst", "html", "pdf", "text", "code"]

RICH: Final[frozenset[DocumentKind]] = frozenset({"pdf"})
"""Kinds whose text is not what their file holds, byte for byte."""


class FileKind(NamedTuple):
    """How a file is read, and its programming language where it has one."""

    kind: DocumentKind
    language: str | None = None


def _table(*rows: tuple[FileKind, str]) -> dict[str, FileKind]:
    return {suffix: kind for kind, suffixes in rows for suffix in suffixes.split()}


READ: Final = _table(
    (FileKind("markdown"), "md markdown mdown mkd mdx qmd rmd"),
    (FileKind("rst"), "rst rest"),
    (FileKind("html"), "html htm xhtml"),
    (FileKind("pdf"), "pdf"),
    (FileKind("text"), "txt text adoc asciidoc org textile bib wiki mediawiki srt vtt"),
    (FileKind("text"), "toml yaml yml ini cfg conf properties"),
    (FileKind("code", "latex"), "tex latex"),
    (FileKind("code", "python"), "py pyi pyx"),
    (FileKind("code", "js"), "js jsx mjs cjs vue svelte"),
    (FileKind("code", "ts"), "ts tsx mts cts"),
    (FileKind("code", "java"), "java"),
    (FileKind("code", "kotlin"), "kt kts"),
    (FileKind("code", "scala"), "scala sc"),
    (FileKind("code", "go"), "go"),
    (FileKind("code", "rust"), "rs"),
    (FileKind("code", "c"), "c h"),
    (FileKind("code", "cpp"), "cc cpp cxx hh hpp hxx cu cuh"),
    (FileKind("code", "csharp"), "cs"),
    (FileKind("code", "php"), "php"),
    (FileKind("code", "ruby"), "rb"),
    (FileKind("code", "swift"), "swift"),
    (FileKind("code", "lua"), "lua"),
    (FileKind("code"), "pl pm"),
    (FileKind("code", "haskell"), "hs lhs"),
    (FileKind("code", "elixir"), "ex exs"),
    (FileKind("code"), "sol"),
    (FileKind("code", "proto"), "proto"),
    (FileKind("code", "powershell"), "ps1 psm1"),
    (
        FileKind("code"),
        "sh bash zsh fish bat cmd sql r jl m mm dart erl hrl clj cljs edn lisp el scm rkt ml mli "
        "fs fsx nim zig v sv vhd vhdl asm s f90 f95 f for pas groovy gradle tf hcl cmake mk nix "
        "graphql gql css scss sass less j2 jinja tmpl patch diff vim tcl awk sed",
    ),
)
"""Suffix (lower case, without the dot) of every file that is read."""

_READ_NAMES: Final = {
    "makefile": FileKind("code"),
    "gnumakefile": FileKind("code"),
    "dockerfile": FileKind("code"),
    "containerfile": FileKind("code"),
    "jenkinsfile": FileKind("code"),
    "vagrantfile": FileKind("code", "ruby"),
    "rakefile": FileKind("code", "ruby"),
    "gemfile": FileKind("code", "ruby"),
    "justfile": FileKind("code"),
    "procfile": FileKind("code"),
} | dict.fromkeys(
    (
        *("readme", "license", "licence", "notice", "copying", "copyright", "authors"),
        *("contributors", "maintainers", "changelog", "changes", "history", "news", "todo"),
        *("notes", "install", "hacking", "thanks", "credits", "faq", "codeowners"),
    ),
    FileKind("text"),
)

UNREAD: Final = {
    suffix: kind
    for kind, suffixes in {
        "Word": "doc docx docm odt rtf pages",
        "Excel": "xls xlsx xlsm xlsb ods numbers",
        "PowerPoint": "ppt pptx pptm odp",
        "image": "png jpg jpeg gif bmp tif tiff webp svg ico heic heif avif psd ai eps raw drawio",
        "audio": "mp3 wav flac ogg oga m4a aac opus wma mid midi aiff",
        "video": "mp4 mkv avi mov webm wmv flv m4v mpg mpeg",
        "e-book": "epub mobi azw azw3 fb2 djvu",
        "archive": "zip tar gz tgz bz2 xz zst 7z rar jar war whl deb rpm dmg iso cab",
        "e-mail": "eml msg mbox pst",
        "notebook": "ipynb",
        "data": "json jsonl ndjson csv tsv xml parquet arrow feather avro sqlite db npy npz h5 pkl",
        "log": "log",
        "font": "ttf otf woff woff2",
    }.items()
    for suffix in suffixes.split()
}
"""Kinds a person knows by name and that are not read yet, by suffix."""

OTHER: Final = "other"
"""What files of no known kind are counted as."""

_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "_darcs", "CVS", ".pijul"})
_DEPENDENCIES = frozenset(
    {
        "node_modules",
        "bower_components",
        "jspm_packages",
        "site-packages",
        "dist-packages",
        "venv",
        ".venv",
        "elm-stuff",
    }
)
_CACHES = frozenset({"__pycache__", "__pypackages__", "__MACOSX", "htmlcov", ".ipynb_checkpoints"})
_SYSTEM = frozenset({"lost+found", "$RECYCLE.BIN", "System Volume Information"})
_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".azure", ".kube", ".password-store"})
_LEFT_OUT_FOLDERS = _VERSION_CONTROL | _DEPENDENCIES | _CACHES | _SYSTEM | _SECRET_FOLDERS

_BUILD_FOLDERS: Final[dict[str, tuple[str, ...]]] = {
    "vendor": ("go.mod", "composer.json", "Gemfile"),
    "target": ("Cargo.toml", "pom.xml", "build.sbt"),
    "build": (
        "package.json",
        "pyproject.toml",
        "setup.py",
        "CMakeLists.txt",
        "meson.build",
        "build.gradle",
        "build.gradle.kts",
        "pubspec.yaml",
    ),
    "dist": ("package.json", "pyproject.toml", "setup.py"),
    "out": ("package.json", "tsconfig.json"),
    "coverage": ("package.json",),
    "_build": ("conf.py", "mix.exs", "dune-project"),
    "deps": ("mix.exs",),
    "site": ("mkdocs.yml", "mkdocs.yaml"),
    "_site": ("_config.yml",),
    "Pods": ("Podfile",),
    "dist-newstyle": ("cabal.project",),
}
"""Folders left out only beside the file of the tool that makes them: a plain ``build`` may be
somebody's documents."""

GENERATED_MARKS: Final = ("pyvenv.cfg", "CACHEDIR.TAG")
"""A folder that holds one of these was made by a tool and can be made again."""

_LOCK_FILES: Final = re.compile(
    r"""
      package-lock\.json | npm-shrinkwrap\.json | packages\.lock\.json | composer\.lock
    | pnpm-lock\.ya?ml | conda-lock\.ya?ml | bun\.lockb? | go\.sum | gradle\.lockfile
    | .+\.lock | .+\.lock\.hcl | .+\.min\.(js|css) | .+\.bundle\.js | .+\.map
    | .+~ | \#.*\# | \.\#.* | ~\$.* | .+\.(swp|swo|tmp|bak|orig|rej|part|crdownload) | 4913
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""Lock files, generated files, and what editors leave beside a file while it is open."""

_SECRET_FILES: Final = re.compile(
    r"""
      (.*\.)?env | \.env\..+ | \.envrc
    | id_(rsa|dsa|ecdsa|ed25519)([._-].*)?
    | .+\.(pem|key|p8|p12|pfx|jks|keystore|kdbx|kdb|ppk|gpg|pgp|ovpn|tfstate|tfvars|agekey)
    | .+\.tfstate\.backup
    | [._]netrc | \.pgpass | \.npmrc | \.pypirc | \.git-credentials | \.htpasswd | \.my\.cnf
    | \.?(credentials?|secrets?|passwords?|passwd)(\.(txt|text|csv|xml))?
    | (.+[._-])?(credentials?|secrets?|passwords?)([._-].+)?
      \.(json|ya?ml|toml|ini|cfg|conf|properties)
    | (service[-_]?account|client[-_]?secret)[^/]*\.json
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""Names that keys and passwords live under; prose and code about secrets is not among them."""


@lru_cache(4096)
def _suffix_kind(suffix: str) -> FileKind | str:
    return READ.get(suffix) or UNREAD.get(suffix, OTHER)


def kind_of(name: str) -> FileKind | str:
    """How a file of this name is read, or the name of its kind if it is not read yet."""
    stem, dot, suffix = name.rpartition(".")
    if dot and stem:
        return _suffix_kind(suffix.lower())
    return _READ_NAMES.get(name.lower().lstrip("."), OTHER)


def is_generated_or_secret(name: str) -> bool:
    """Whether a file is left out for its name: lock files, generated files, keys, passwords."""
    return bool(_LOCK_FILES.fullmatch(name) or _SECRET_FILES.fullmatch(name))


def is_left_out_folder(name: str, beside: Callable[[str], bool]) -> bool:
    """Whether a folder holds version control, dependencies, caches, builds or keys.

    ``beside`` tells whether a file of a given name stands next to the folder.
    """
    if name in _LEFT_OUT_FOLDERS or name.endswith((".egg-info", ".dist-info")):
        return True
    return any(beside(tool) for tool in _BUILD_FOLDERS.get(name, ()))
