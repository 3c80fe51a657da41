"""What the help of ``hoverkite`` says, and which commands there are."""

EPILOG = """\
commands:
  hoverkite [DOCS ...]            open the screen on folders (default: this one)
  hoverkite search DOCS QUERY     print the chunks nearest to QUERY, best first
  hoverkite ask DOCS QUESTION     print extracts, the model's answer and its sources
  hoverkite chat DOCS             answer questions one by one, as lines of text
  hoverkite conversations DOCS    list what was asked and answered; show, delete, export
  hoverkite index DOCS            bring the index up to date, once
  hoverkite eval DOCS QUESTIONS   measure how well the search finds what you know is right
  hoverkite models                list answer models, and which fit this machine
  hoverkite status [DOCS]         show what is indexed and what runs
  hoverkite doctor [DOCS]         look for what is wrong; --repair puts it right
  hoverkite forget DOCS           remove everything kept about a folder
  hoverkite stop                  stop the engine and the answer model

examples:
  hoverkite ~/notes
  hoverkite ask ~/notes "How often is the generator tested?"

settings that stay, such as a better answer model, are lines of the config file,
usually ~/.config/hoverkite/config.toml:
  llm_model = "Qwen/Qwen2.5-1.5B-Instruct"

Every command takes the options above; hoverkite COMMAND --help tells its own.
A folder that is named like a command is opened with: hoverkite ./search
Exit status: 0 done, 1 nothing found or failed, 2 used wrongly.
"""

EXAMPLES = {
    "search": (
        "standby generator",
        "--hits 20 'standby generator'",
        "'standby generator' --json | jq -r '.hits[0].path'",
        "\"'ERR_TIMEOUT\" --path 'guide/**' --files",
        '"\'ERR_TIMEOUT" --context 3',
    ),
    "ask": (
        "'How often is the generator tested?'",
        "--continue 'And by whom?'",
        "--anyway 'Who wrote it?'",
        "--set llm_max_tokens=100 'What is M?'",
    ),
    "chat": ("", "--plain", "--continue", "< questions.txt"),
    "conversations": ("", "show 1", "export 1 --to generator.md", "delete 3f9a"),
    "index": ("", "--yes"),
    "eval": ("questions.jsonl", "questions.jsonl --modes hybrid,bm25 --json"),
    "status": ("", "--json", "--files --state skipped"),
    "doctor": ("", "--repair"),
    "forget": ("", "--yes"),
}
"""What may follow ``hoverkite COMMAND ~/notes``."""

MODELS_EXAMPLES = """\
examples:
  hoverkite models
  hoverkite models fetch Qwen/Qwen2.5-1.5B-Instruct
  hoverkite models use Qwen/Qwen2.5-1.5B-Instruct
  hoverkite models use llama3.1 --llm-url http://127.0.0.1:11434/v1
  hoverkite models use embedded
"""

UNUSED = {
    "stop": ("--set", "--llm-url", "--profile", "--yes"),
    "models": ("--profile",),
    "doctor": ("--yes",),
    "search": ("--llm-url",),
    "eval": ("--llm-url",),
    "conversations": ("--llm-url",),
    "status": ("--yes",),
    "forget": ("--llm-url", "--profile"),
}
"""Common options that a command takes and has no use for; its help does not list them."""
WITHOUT_DOCS = {
    "open": "the folder; without one: the current folder",
    "status": "the folder; without one: the engine, and all folders that are indexed",
    "doctor": "the folder; without one: this machine, and briefly every index",
}
"""What the folder means to commands that need none."""

QUERY = "in quotes, or as plain words; may hold filters, as path:guide/** tag:work after:7d -word"
COMMANDS = (
    *(
        "search",
        "ask",
        "chat",
        "conversations",
        "index",
        "eval",
        "models",
        "status",
        "doctor",
        "forget",
    ),
    "stop",
)
