"""The rows of an answer: filtered, grouped, in order, and no more than asked for."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.api.openrouter.analytics.dimensions import DIMENSIONS, Row
from gateway.api.openrouter.analytics.granularity import GRANULARITIES
from gateway.api.openrouter.analytics.metrics import METRICS, Group, Number
from gateway.api.openrouter.analytics.operators import OPERATORS
from gateway.api.openrouter.analytics.query import AnalyticsFilter, AnalyticsQuery
from gateway.calendar import DAY, HOUR
from gateway.generation import Generation
from gateway.ledger.results import ActivityRow, HourRow

Cell = str | Number


class Table(msgspec.Struct, frozen=True):
    """`is_cut`: there were more rows."""

    rows: list[dict[str, Cell]]
    is_cut: bool


class Line(msgspec.Struct, frozen=True):
    """What identifies a row of the answer: its time, and the values of its dimensions."""

    date: str
    names: tuple[str | None, ...]


class TableMaker:
    """Groups the rows given to it."""

    def __init__(self, query: AnalyticsQuery) -> None:
        self._query = query
        self._tests = [_test(each) for each in query.filters]
        self._groups: dict[Line, Group] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Count the rows that pass the filters."""
        for row in rows:
            if all(passes(row) for passes in self._tests):
                self._groups.setdefault(self._line(row), Group()).add(row)

    def table(self) -> Table:
        """What was asked for, of all rows given."""
        query = self._query
        lines = self._in_order()
        if query.group_limit and query.dimensions and query.granularity:
            lines = _first_of_each(lines, query.group_limit)
        rows = [self._row(line) for line in lines[: query.limit]]
        return Table(rows, len(lines) > query.limit)

    def _line(self, row: Row) -> Line:
        query = self._query
        date = GRANULARITIES[query.granularity](_moment(row)) if query.granularity else ""
        return Line(date, tuple(DIMENSIONS[name].value(row) for name in query.dimensions))

    def _in_order(self) -> list[Line]:
        """By default the newest first, or most of the first metric; equals by date and names."""
        query = self._query
        lines = sorted(self._groups, key=lambda line: (line.date, [n or "" for n in line.names]))
        if query.order_by is None:
            default = "date" if query.granularity else query.metrics[0]
            return self._sorted(lines, default, is_down=True)
        return self._sorted(lines, query.order_by.field, is_down=query.order_by.direction == "desc")

    def _sorted(self, lines: Sequence[Line], field: str, *, is_down: bool) -> list[Line]:
        if field in METRICS:
            metric = METRICS[field].value
            values = {line: metric(self._groups[line]) for line in lines}
            return sorted(lines, key=lambda line: _rank(values[line]), reverse=is_down)
        if field == "date":
            return sorted(lines, key=lambda line: line.date, reverse=is_down)
        at = self._query.dimensions.index(field)
        return sorted(lines, key=lambda line: line.names[at] or "", reverse=is_down)

    def _row(self, line: Line) -> dict[str, Cell]:
        query, group = self._query, self._groups[line]
        dates = {f"date__{query.granularity}": line.date} if query.granularity else {}
        names = dict(zip(query.dimensions, line.names, strict=True))
        return {**dates, **names, **{name: METRICS[name].value(group) for name in query.metrics}}


def _rank(value: Number) -> tuple[bool, float]:
    """What has no value is less than all that have one."""
    return (value is not None, value or 0)


def _first_of_each(lines: Iterable[Line], most: int) -> list[Line]:
    seen: Counter[tuple[str | None, ...]] = Counter()
    kept = []
    for line in lines:
        seen[line.names] += 1
        if seen[line.names] <= most:
            kept.append(line)
    return kept


def _test(each: AnalyticsFilter) -> Callable[[Row], bool]:
    value_of, holds = DIMENSIONS[each.field].value, OPERATORS[each.operator].holds
    wanted, is_unset_wanted = each.values, each.include_unset or each.operator == "neq"

    def passes(row: Row) -> bool:
        value = value_of(row)
        return is_unset_wanted if value is None else holds(value, wanted)

    return passes


def _moment(row: Row) -> int:
    if isinstance(row, Generation):
        return row.created_at
    if isinstance(row, HourRow):
        return row.hour * HOUR
    return row.day * DAY if isinstance(row, ActivityRow) else 0
