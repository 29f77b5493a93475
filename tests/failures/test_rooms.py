"""Evidence in the clear that a killed worker left on its disk: private meanwhile, gone when the next worker starts."""

import stat

from evidence_api import container
from storage.workroom import PREFIX
from tests import acts
from tests.failures.doomed import run_and_die


def test_an_original_in_the_clear_does_not_outlive_its_worker_for_long(system) -> None:
    data = acts.sound(2.0, 60.0)
    exhibit_id = system.sealed(system.case(), data, "spoken.flac")
    asked = system.api("prosecutor").post(f"/api/v1/exhibits/{exhibit_id}/transcript")
    job_id = acts.job_of(system, f"transcript:{asked['id']}")
    run_and_die(system.settings, job_id, 1)  # «spooled»
    (left,) = [path.parent for path in system.settings.work_dir.glob(f"{PREFIX}*/original")]
    assert (left / "original").read_bytes() == data
    assert stat.S_IMODE(left.stat().st_mode) == 0o700
    assert stat.S_IMODE((left / "original").stat().st_mode) == 0o600
    container.runner(system.settings)._database.close()
    assert not left.exists()
    assert system.work_off(f"transcript:{asked['id']}", acts.scripted(system)) == ["done"]
