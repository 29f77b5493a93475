"""Why the way from a closed log to the next does not hold: in Kazakh and in Russian, as `reasons`."""

from collections.abc import Mapping

REASONS: Mapping[str, tuple[str, str]] = {
    "the log has grown after it was closed": ("журнал жабылғаннан кейін өскен", "журнал вырос после закрытия"),
    "a handover is not a final head, log.closed and log.opened": (
        "ауысу соңғы күйден, log.closed және log.opened оқиғаларынан тұрмайды",
        "переход состоит не из последнего состояния, log.closed и log.opened",
    ),
    "log.opened does not follow log.closed and its final head": (
        "log.opened оқиғасы log.closed пен оның соңғы күйінен кейін келмейді",
        "log.opened не следует за log.closed и последним состоянием журнала",
    ),
    "a handover names a log otherwise than its key": (
        "ауысудағы журнал аты кілтіндегіден басқа",
        "переход называет журнал иначе, чем его ключ",
    ),
    "the closed log names another log as the next": (
        "жабылған журнал келесі деп басқа журналды атайды",
        "закрытый журнал называет следующим другой журнал",
    ),
    "the closed log names another key for the next": (
        "жабылған журнал келесісіне басқа кілт атайды",
        "закрытый журнал называет другой ключ следующего",
    ),
    "a handover has not two events and two proofs": (
        "ауысуда екі оқиға мен екі растау жоқ",
        "в переходе не два события и два подтверждения",
    ),
    "log.closed is not the last leaf of its log, or log.opened not the first of the next": (
        "log.closed өз журналының соңғысы емес немесе log.opened келесісінің алғашқысы емес",
        "log.closed не последнее в своём журнале или log.opened не первое в следующем",
    ),
    "a package goes back over more than 9 closed logs": (
        "пакет 9-дан көп жабылған журналға барады",
        "пакет затрагивает больше 9 закрытых журналов",
    ),
}
