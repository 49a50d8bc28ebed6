"""The fake connector keeps the same promises as the real ones."""

from pathlib import Path

from connectors.ports import Connector
from tests.contracts.connector_contract import ChangeableSource, ConnectorContract
from tests.fakes.connectors import JournalConnector


class JournalSource:
    def __init__(self) -> None:
        self.journal = JournalConnector()

    def connector(self) -> Connector:
        return self.journal

    def write(self, name: str, title: str, text: str) -> str:
        return self.journal.write(name, text, title)

    def delete(self, name: str) -> None:
        self.journal.delete(name)

    def break_down(self) -> None:
        self.journal.down = True


class TestJournalConnector(ConnectorContract):
    def source_in(self, folder: Path) -> ChangeableSource:
        return JournalSource()
