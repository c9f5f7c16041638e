"""The Celery application of a site of several processes: what its workers do, and when they are woken.

No task carries work or a time of its own: each look finds in the database what is due (tickets.md section 5). So a
broker that was away has lost nothing, two workers at once do nothing twice, and so many looks are all alike.
"""

from datetime import timedelta

from celery import Celery

from callcenter.app.settings import Settings
from callcenter.kernel.clock import Clock, SystemClock
from callcenter.kernel.errors import ConfigError
from tickets.tasks import NAME, add_tasks

LOOK_EVERY = timedelta(seconds=15)
# A look that nobody could take is worth nothing when the next one has been sent.
EXPIRES_S = 15
TASK_S = 120


def create_celery(settings: Settings, *, clock: Clock | None = None) -> Celery:
    """The tasks over the site database of `settings`; raises ConfigError where no broker is configured."""
    if settings.redis_url is None:
        raise ConfigError("redis_url: workers need a broker; without one the server does their work itself")
    app = Celery("callcenter", broker=settings.redis_url, set_as_current=False)
    app.conf.update(
        beat_schedule={NAME: {"task": NAME, "schedule": LOOK_EVERY, "options": {"expires": EXPIRES_S}}},
        beat_scheduler="celery.beat:Scheduler",
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        task_time_limit=TASK_S,
        timezone="UTC",
        worker_hijack_root_logger=False,
    )
    add_tasks(app, settings.site_database_url, clock or SystemClock())
    return app
