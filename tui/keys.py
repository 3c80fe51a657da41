"""The keys of the main screen and of the program; each pane declares its own beside it.

Printable keys never fire in the query: the text field takes them first.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

SCREEN_KEYS: list[BindingType] = [
    Binding(
        "tab",
        "move_pane(1)",
        "Panes",
        id="screen.next",
        tooltip="Go to the next pane",
    ),
    Binding(
        "shift+tab",
        "move_pane(-1)",
        "Pane before",
        id="screen.previous",
        tooltip="Go to the pane before",
    ),
    Binding(
        "slash",
        "go_to_query",
        "Query",
        id="screen.query",
        tooltip="Go back to the query",
    ),
    Binding(
        "escape",
        "back",
        "Stop or clear",
        id="screen.back",
        tooltip="Close what is open, stop, go to the query, clear it",
    ),
    Binding(
        "e",
        "edit",
        "Edit",
        id="screen.edit",
        tooltip="Open the hit in your editor at its line",
    ),
    Binding(
        "y",
        "copy",
        "Copy",
        id="screen.copy",
        tooltip="Copy the hit's text, or in the answer pane the answer",
    ),
    *(
        Binding(
            digit,
            f"jump({digit})",
            "Go to a hit",
            id="screen.jump" if digit == "1" else f"screen.jump.{digit}",
            tooltip="Go to the hit of that number",
            key_display="1-9",
            system=digit != "1",
        )
        for digit in "123456789"
    ),
    Binding(
        "ctrl+r",
        "again",
        "Again",
        id="screen.again",
        tooltip="Ask the question again; after a failure, try again",
    ),
    Binding(
        "ctrl+o,o",
        "offer",
        "As offered",
        id="screen.offer",
        tooltip="Do what the answer offers",
    ),
    Binding(
        "ctrl+n",
        "new_conversation",
        "New",
        id="screen.new",
        tooltip="Begin a new conversation",
    ),
    Binding(
        "left_square_bracket,ctrl+up",
        "turn(-1)",
        "Turn before",
        id="screen.turn_before",
        tooltip="The turn of the conversation before this one",
    ),
    Binding(
        "right_square_bracket,ctrl+down",
        "turn(1)",
        "Next turn",
        id="screen.turn_after",
        tooltip="The next turn of the conversation",
    ),
    Binding(
        "ctrl+l,c",
        "conversations",
        "Conversations",
        id="screen.conversations",
        tooltip="The kept conversations: open, delete or export one",
    ),
    Binding(
        "ctrl+f,h",
        "earlier",
        "Earlier questions",
        id="screen.earlier",
        tooltip="Earlier questions, to take one into the query",
    ),
    Binding(
        "ctrl+g,r",
        "rewrite",
        "Searched words",
        id="screen.rewrite",
        tooltip="Edit what was searched for in place of the question",
    ),
    Binding(
        "t",
        "tray",
        "Tray",
        id="screen.tray",
        tooltip="What is pinned and dropped; ask with exactly that",
    ),
    Binding(
        "v",
        "prompt",
        "Prompt",
        id="screen.prompt",
        tooltip="What the model was shown, word for word",
    ),
    Binding(
        "ctrl+t,m",
        "mode",
        "Mode",
        id="screen.mode",
        tooltip="Search by meaning and words, or by one of them alone",
    ),
    Binding(
        "x",
        "why",
        "Why",
        id="screen.why",
        tooltip="Why the hit is there, or its text again",
    ),
    Binding(
        "a",
        "around",
        "Around",
        id="screen.around",
        tooltip="The hit in its surroundings, or alone again",
    ),
    Binding(
        "l",
        "follow",
        "Links",
        id="screen.follow",
        tooltip="The links of the hit, to open what they lead to",
    ),
    Binding(
        "i",
        "report",
        "Folder",
        id="screen.report",
        tooltip="What is in the index, and what is not",
    ),
    Binding(
        "M",
        "model",
        "Answer model",
        id="screen.model",
        tooltip="The answer model: its state, its speed, its log",
    ),
    Binding(
        "w",
        "problems",
        "Problems",
        id="screen.problems",
        tooltip="What went wrong since the start, and what to do",
    ),
    Binding(
        "p",
        "pause",
        "Pause",
        id="screen.pause",
        tooltip="Pause indexing, or let it go on",
    ),
    Binding(
        "question_mark,f1",
        "help",
        "Keys",
        id="screen.help",
        tooltip="Show all keys",
    ),
]

APP_KEYS: list[BindingType] = [
    Binding(
        "ctrl+p",
        "command_palette",
        "Palette",
        id="app.palette",
        tooltip="Find any action by its name",
        priority=True,
    ),
    Binding(
        "ctrl+q",
        "quit",
        "Quit",
        id="app.quit",
        tooltip="Leave hoverkite; so does :q in the palette",
        priority=True,
    ),
    Binding(
        "ctrl+c",
        "copy_or_quit",
        "Copy selection",
        id="app.copy_or_quit",
        tooltip="Copy the selection; twice quickly: quit",
        priority=True,
    ),
]
