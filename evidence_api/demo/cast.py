"""The accounts of the demonstration. They exist nowhere else; their passwords are made at the first start."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cast:
    """One account of the demonstration: login, the name on screen, role and language."""

    login: str
    name: str
    role: str
    language: str


ADMINISTRATOR = Cast("admin", "Әкімші Демо", "administrator", "kk")
INVESTIGATOR = Cast("investigator", "Тергеуші Сәуле Демо", "investigator", "kk")
PROSECUTOR = Cast("prosecutor", "Прокурор Ерлан Демо", "prosecutor", "ru")
SUPERVISOR = Cast("supervisor", "Старший прокурор Анна Демо", "supervising_prosecutor", "ru")
DEFENCE = Cast("defence", "Адвокат Марат Демо", "defence", "ru")
AUDITOR = Cast("auditor", "Auditor Kim Demo", "auditor", "en")

CAST = (ADMINISTRATOR, INVESTIGATOR, PROSECUTOR, SUPERVISOR, DEFENCE, AUDITOR)
