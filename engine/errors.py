"""Everything that can go wrong in words a person can act on.

Each error says what happened (``str(error)``), under a short ``title``, and what to do next
(``next_step``). Over the wire it travels as an :class:`engine.wire.api.Problem`.
"""


class HoverkiteError(Exception):
    """The root of all errors that are shown to a person."""

    title = "Something went wrong"
    default_next_step = "docs/troubleshooting.md tells where the logs are"

    def __init__(self, what: str, next_step: str | None = None) -> None:
        super().__init__(what)
        self.next_step = next_step or self.default_next_step


class UsageError(HoverkiteError):
    """The command or request itself is wrong; nothing was attempted."""

    title = "That can't be done"
    default_next_step = "See: hoverkite --help"


class ConfigError(UsageError):
    """A setting is unknown or has a value of the wrong kind."""

    title = "A setting is wrong"
    default_next_step = "Correct it in the config file; docs/configuration.md lists every setting"


class FolderError(UsageError):
    """The folder is missing, a file, or not readable."""

    title = "That folder can't be opened"
    default_next_step = "Name a folder that exists and that you can read"


class FileGoneError(UsageError):
    """A file that was indexed is no longer where it was."""

    title = "That file can't be opened"
    default_next_step = "It was moved, renamed or deleted; the results follow within seconds"


class NotAgreedError(UsageError):
    """A large or unusual folder was not yet agreed to."""

    title = "This folder needs your word first"
    default_next_step = "Run the command again with --yes to index it"


class NoIndexError(HoverkiteError):
    """Nothing is kept of the folder."""

    title = "Nothing is kept of that folder"
    default_next_step = "hoverkite status lists the folders that are indexed"


class FolderInUseError(HoverkiteError):
    """Somebody uses the folder, so that its index can't be taken away."""

    title = "That folder is in use"
    default_next_step = "Leave the window it is open in, then try again"


class LoadError(HoverkiteError):
    """One document's text could not be read; it is skipped with this reason."""

    title = "A file was not read"
    default_next_step = "The file is skipped until it changes"


class StoreError(HoverkiteError):
    """Milvus failed. Passing: the store is reopened and filled from the manifest."""

    title = "The search index failed"
    default_next_step = "It is rebuilt from what was read before; nothing has to be embedded again"


class ManifestError(HoverkiteError):
    """The manifest cannot be read or written (full disk, read-only folder)."""

    title = "The index could not be saved"
    default_next_step = "Free some disk space or mend the permissions, then try again"


class ModelError(HoverkiteError):
    """The encoder or the answer model cannot be used."""

    title = "The model can't be used"
    default_next_step = "Search goes on without answers; see docs/models.md"


class NothingFoundError(HoverkiteError):
    """The folder holds nothing that could answer the question."""

    title = "Nothing was found"
    default_next_step = "Ask in other words, or see what was read: hoverkite status DOCS"


class NoConversationError(HoverkiteError):
    """There is no such conversation, or none any more."""

    title = "That conversation is not kept"
    default_next_step = "hoverkite conversations DOCS lists those that are"


class ConversationsError(HoverkiteError):
    """Kept conversations cannot be read or written (full disk, read-only folder)."""

    title = "The conversations can't be used"
    default_next_step = "Free some disk space or mend the permissions, then try again"


class EngineError(HoverkiteError):
    """The engine process could not be started or reached."""

    title = "The engine does not answer"
    default_next_step = "Run: hoverkite stop, then try again"


class EngineStoppedError(EngineError):
    """The engine was told to stop while somebody used it; nobody starts it again unasked."""

    title = "The engine was stopped"
    default_next_step = "Any command starts it again"
