"""The keys of pages and dialogs.

They stand here, not beside their pages, since they are listed and changed before any page, which
takes a while to load, is opened.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

FILES_KEYS: list[BindingType] = [
    Binding("j,down", "move(1)", "Next", id="files.next", tooltip="The next file"),
    Binding("k,up", "move(-1)", "Before", id="files.before", tooltip="The file before"),
    Binding("space,pagedown", "page(1)", "Page", id="files.page", tooltip="A page further"),
    Binding("pageup", "page(-1)", "Page back", id="files.page_back", tooltip="A page back"),
    Binding("g,home", "end(-1)", "First", id="files.first", tooltip="The first file"),
    Binding("G,end", "end(1)", "Last", id="files.last", tooltip="The last file"),
]

FOLDER_KEYS: list[BindingType] = [
    Binding("enter,e", "open", "Open", id="folder.open", tooltip="Open the file in your editor"),
    Binding("y", "copy", "Copy path", id="folder.copy", tooltip="Copy the file's path"),
    Binding("s", "choose", "States", id="folder.states", tooltip="The next kind of files"),
    Binding("f,slash", "filter", "Filter", id="folder.filter", tooltip="Filter by words"),
    Binding("R", "read_again", "Again", id="folder.again", tooltip="Read this file again"),
    Binding(
        "ctrl+r",
        "read_all_again",
        "All again",
        id="folder.all_again",
        tooltip="Read all skipped files again",
    ),
    Binding("escape", "back", "Back", id="folder.back", tooltip="End the filter, or close"),
    Binding("q,i", "close", "Close", id="folder.close", tooltip="Back to the screen"),
]

TEXT_KEYS: list[BindingType] = [
    Binding("j,down", "scroll(1)", "Down", id="text.down", tooltip="A line down"),
    Binding("k,up", "scroll(-1)", "Up", id="text.up", tooltip="A line up"),
    Binding("space,pagedown", "page(1)", "Page", id="text.page", tooltip="A page down"),
    Binding("pageup", "page(-1)", "Page back", id="text.page_back", tooltip="A page up"),
    Binding("g,home", "end(-1)", "Top", id="text.top", tooltip="The file's first line"),
    Binding("G,end", "end(1)", "End", id="text.end", tooltip="The file's last line"),
    Binding("h", "hit", "Hit", id="text.hit", tooltip="Back to the hit in the text"),
]

WHOLE_KEYS: list[BindingType] = [
    Binding("slash", "filter", "Find", id="whole.find", tooltip="Find words in the text"),
    Binding("n", "find(1)", "Next", id="whole.next", tooltip="The next line that holds them"),
    Binding("N", "find(-1)", "Before", id="whole.before", tooltip="The one before"),
    Binding("e", "edit", "Edit", id="whole.edit", tooltip="Open it at the line in view"),
    Binding("escape,q,A", "close", "Close", id="whole.close", tooltip="Back to the hit"),
]

LIST_KEYS: list[BindingType] = [
    Binding("j", "cursor_down", "Next", id="list.next", tooltip="The next one"),
    Binding("k", "cursor_up", "Before", id="list.before", tooltip="The one before"),
    Binding("enter", "select", "Choose", id="list.choose", tooltip="Take this one"),
]
"""Keys of every page that lists something."""

TRAY_KEYS: list[BindingType] = [
    Binding("d,delete", "take_out", "Take out", id="tray.out", tooltip="Take the hit out"),
    Binding("D", "clear", "Empty", id="tray.clear", tooltip="Empty the tray"),
    Binding("escape,q,t", "close", "Close", id="tray.close", tooltip="Back to the screen"),
]

CONVERSATIONS_KEYS: list[BindingType] = [
    Binding(
        "d,delete",
        "do('delete')",
        "Delete",
        id="conversations.delete",
        tooltip="Delete the conversation",
    ),
    Binding(
        "s",
        "do('export')",
        "Save",
        id="conversations.export",
        tooltip="Save it as Markdown, with its sources",
    ),
    Binding("escape,q,c", "close", "Close", id="conversations.close", tooltip="Back to the screen"),
]

LINKS_KEYS: list[BindingType] = [
    Binding("escape,q,l", "close", "Close", id="links.close", tooltip="Back to the screen"),
]

CODE_KEYS: list[BindingType] = [
    Binding("escape,q", "close", "Close", id="code.close", tooltip="Back to the screen"),
]

PICK_KEYS: list[BindingType] = [
    Binding("enter", "choose", "Choose", id="pick.choose", tooltip="Take this one"),
    Binding("down", "move(1)", "Next", id="pick.next", tooltip="The next one"),
    Binding("up", "move(-1)", "Before", id="pick.before", tooltip="The one before"),
    Binding("pagedown", "move(10)", "Page", id="pick.page", tooltip="Ten further"),
    Binding("pageup", "move(-10)", "Page back", id="pick.page_back", tooltip="Ten back"),
    Binding("escape", "close", "Close", id="pick.close", tooltip="Back to the screen"),
]
"""Keys of pages whose list is narrowed by typing."""

FOLDERS_KEYS: list[BindingType] = [
    Binding("tab", "complete", "Complete", id="folders.complete", tooltip="Go into the folder"),
]

PAGE_KEYS: list[BindingType] = [
    Binding("down,j", "scroll(1)", "Down", id="page.down", tooltip="Scroll down"),
    Binding("up,k", "scroll(-1)", "Up", id="page.up", tooltip="Scroll up"),
    Binding("space,pagedown", "scroll_page(1)", "Page", id="page.next", tooltip="Scroll a page"),
    Binding("pageup", "scroll_page(-1)", "Back", id="page.back", tooltip="Scroll a page back"),
    Binding("g,home", "scroll_to(False)", "Top", id="page.top", tooltip="Go to the top"),
    Binding("G,end", "scroll_to(True)", "End", id="page.end", tooltip="Go to the end"),
    Binding("escape,q,enter", "close", "Close", id="page.close", tooltip="Back to the screen"),
]

PROMPT_KEYS: list[BindingType] = [
    Binding("y", "copy", "Copy", id="prompt.copy", tooltip="Copy the prompt"),
    Binding("v", "close", "Close", id="prompt.close", tooltip="Back to the screen"),
]

QUESTION_KEYS: list[BindingType] = [
    Binding("y", "answer(True)", "Yes", id="question.yes", tooltip="Agree"),
    Binding("n,escape", "answer(False)", "No", id="question.no", tooltip="Decline"),
    Binding("down,j,space", "scroll(3)", "Down", id="question.down", tooltip="Scroll down"),
    Binding("up,k", "scroll(-3)", "Up", id="question.up", tooltip="Scroll up"),
]

INDEXING_KEYS: list[BindingType] = [
    Binding("enter", "answer(True)", "Yes", id="indexing.yes", tooltip="Index the folder"),
    Binding("l", "left_out", "Left out", id="indexing.left_out", tooltip="What is left out of it"),
]
