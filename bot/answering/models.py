"""The chat model that settings name."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel

from bot.answering.picking import Scorer
from bot.answering.quotes import QUOTES, QuoteModel
from connectors.errors import Misconfigured

AUTO = "auto"
_ANTHROPIC = "anthropic:"


def model_of(
    name: str, *, anthropic_api_key: str | None, anthropic_base_url: str | None, cross_encoder: Scorer | None
) -> tuple[BaseChatModel, str]:
    """The chat model of a setting, and what to call it in answers.

    ``auto`` is Claude where there is a key and quote mode where there is none. Everything that is neither ``quotes``
    nor Claude's is any string that LangChain's ``init_chat_model`` knows.

    Raises:
        Misconfigured: The model needs a key or a package that is not there, or nobody knows it.
    """
    if name == AUTO:
        name = f"{_ANTHROPIC}{_default_claude()}" if anthropic_api_key else QUOTES
    if name == QUOTES:
        return QuoteModel(scorer=cross_encoder), QUOTES
    if name.startswith("claude-"):
        name = f"{_ANTHROPIC}{name}"
    if name.startswith(_ANTHROPIC):
        return _claude_of(name.removeprefix(_ANTHROPIC), anthropic_api_key, anthropic_base_url), name
    return _other(name), name


def _default_claude() -> str:
    from bot.answering.claude import MODEL  # noqa: PLC0415  # Costs seconds of import; quote mode must start fast.

    return MODEL


def _claude_of(model: str, api_key: str | None, base_url: str | None) -> BaseChatModel:
    from bot.answering.claude import claude_of  # noqa: PLC0415  # As above.

    if not api_key:
        raise Misconfigured(f'model "{_ANTHROPIC}{model}" needs ANTHROPIC_API_KEY; set it, or set model to "quotes"')
    return claude_of(api_key, base_url, model or _default_claude())


def _other(name: str) -> BaseChatModel:
    from langchain.chat_models import init_chat_model  # noqa: PLC0415  # As above.

    try:
        return init_chat_model(name)
    except ImportError as error:
        raise Misconfigured(f'model "{name}" needs a package that is not installed: {error}') from error
    except Exception as error:  # Each provider has its own way to refuse its settings.
        raise Misconfigured(
            f'model "{name}" cannot be used ({type(error).__name__}): check its name, and its key if it needs one'
        ) from error
