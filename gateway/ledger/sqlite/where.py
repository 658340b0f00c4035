"""The conditions of a SELECT, built up one by one."""

from collections.abc import Collection
from typing import Self


class Where:
    """Conditions that all hold, and the values they compare with; None compares with nothing."""

    def __init__(self) -> None:
        self._terms: list[str] = []
        self.values: list[object] = []

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self._terms)}" if self._terms else ""

    def compare(self, column: str, operator: str, value: object) -> Self:
        if value is not None:
            self._terms.append(f"{column} {operator} ?")
            self.values.append(value)
        return self

    def require(self, condition: str, *values: object) -> Self:
        self._terms.append(condition)
        self.values.extend(values)
        return self

    def among(self, column: str, choice: Collection[str] | None) -> Self:
        if choice is not None:
            self._terms.append(f"{column} IN ({', '.join('?' * len(choice))})")
            self.values.extend(sorted(choice))
        return self

    def between(self, column: str, since: int, until: int) -> Self:
        """Both inclusive."""
        return self.compare(column, ">=", since).compare(column, "<=", until)
