"""Pure library: business time (tickets.md section 3). Knows no room."""

from callcenter.calendars.calendar import Calendar, CalendarInvalid, NoOpenTime
from callcenter.calendars.loading import load_calendars, read_calendar

__all__ = ["Calendar", "CalendarInvalid", "NoOpenTime", "load_calendars", "read_calendar"]
