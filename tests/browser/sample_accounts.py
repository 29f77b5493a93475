"""Sample models: devices and what one did, the own account."""

from dataclasses import replace
from datetime import timedelta

from portal.context import Form
from portal.pages import accounts
from tests.browser.samples import NOW, TRAIL, ago, ident

DOCK = accounts.DeviceRow(
    ident("dock"),
    "Док-станция 7, Алматы қаласы полиция департаменті",
    "device-5f1c09ab",
    ago(days=20),
    NOW + timedelta(days=70),
    "open",
    ("990000000000001", "990000000000002"),
)
OVER = replace(DOCK, id=ident("dock2"), login="device-00aa11bb", until=ago(days=1), state="over", cases=())
REVOKED = replace(DOCK, id=ident("dock3"), name="Сервер видеозаписи", login="device-77aa11bb", state="revoked")
CREDENTIAL = "device-5f1c09ab:" + "Xk3v-8Qw_" * 5
SESSIONS = (
    accounts.SessionRow("browser", ago(hours=2), ago(minutes=1), NOW + timedelta(minutes=29), here=True),
    accounts.SessionRow("api", ago(hours=5), ago(minutes=9), NOW + timedelta(minutes=21), here=False),
)
PAGES = {
    "devices": (
        accounts.render_devices,
        accounts.Devices(
            (DOCK, OVER, REVOKED),
            90,
            next_href="/devices?cursor=x",
            form=Form({"name": "Dock", "days": "900"}, {"days": "device.bad_term"}, {"most_days": 366}),
        ),
    ),
    "devices-none": (accounts.render_devices, accounts.Devices((), 90)),
    "device-issued": (accounts.render_issued_device, accounts.IssuedDevice(DOCK, CREDENTIAL)),
    "device": (
        accounts.render_device,
        accounts.DeviceTrail(
            DOCK, tuple(replace(event, case=DOCK.cases[0]) for event in TRAIL.events[:6]), "/x", can_revoke=True
        ),
    ),
    "device-idle": (accounts.render_device, accounts.DeviceTrail(REVOKED, ())),
    "account": (
        accounts.render_account,
        accounts.OwnAccount("saule", ago(days=300), SESSIONS, Form({}, {"old_password": "password.wrong"})),
    ),
}
