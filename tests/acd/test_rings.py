"""What a caller needs, and how that gives way while he waits."""

from datetime import timedelta

from acd import events
from acd.model import Ring, SkillRequirement
from tests.support.acd import AcdWorld


def test_one_of_several_skills_is_enough_where_the_queue_says_so(acd: AcdWorld) -> None:
    tongues = (SkillRequirement("english", 3), SkillRequirement("chinese"))
    acd.routes("law", requires=(tongues,))
    acd.agent("ann", skills={"law": 1, "english": 2}).goes_available()
    call = acd.call_enters("law")
    assert call.rings_at == "nobody"
    acd.agent("bob", skills={"law": 1, "chinese": 1}).goes_available()
    assert call.rings_at == "bob"
    acd.agent("chen", skills={"law": 1, "english": 3}).goes_available()
    assert acd.call_enters("law").rings_at == "chen"


def test_flow_or_record_may_ask_for_more(acd: AcdWorld) -> None:
    acd.agent("ann", skills={"law": 9}).goes_available()
    acd.agent("bob", skills={"law": 1, "tax": 2}).goes_available()
    asked = ((SkillRequirement("tax", 2), SkillRequirement("customs", 1)),)
    assert acd.call_enters("law", requires=asked).rings_at == "bob"


def test_levels_give_way_ring_by_ring_and_then_skills(acd: AcdWorld) -> None:
    acd.routes("law", Ring(20), Ring(30, lower=2), Ring(drop=("english",)), skills=(("english", 4), ("law", 5)))
    ann = acd.agent("ann", skills={"law": 3, "english": 2}).goes_available()
    acd.agent("bob", skills={"law": 9}).goes_available()
    acd.agent("eve", skills={"law": 5, "english": 4}).signs_in()
    first, second = acd.call_enters("law"), acd.call_enters("law")
    acd.advance(19)
    assert first.rings_at == "nobody"
    acd.advance(1)
    assert (first.rings_at, second.rings_at) == ("ann", "nobody")
    ann.answers()
    acd.advance(30)
    assert second.rings_at == "bob"
    assert [event.ring for event in acd.told(events.EntryWidened)] == [2, 2, 3]
    assert acd.told(events.OfferCreated)[-1].decision.ring == 3


def test_level_never_falls_below_one(acd: AcdWorld) -> None:
    acd.routes("law", Ring(5), Ring(lower=9), skills=(("law", 2),))
    acd.agent("ann", skills={"tax": 5}).goes_available()
    acd.agent("eve", skills={"law": 2}).signs_in()
    call = acd.call_enters("law")
    acd.advance(5)
    assert (call.rings_at, call.now.need) == ("nobody", ((("law", 1),),))


def test_requirement_that_must_not_give_way_does_not(acd: AcdWorld) -> None:
    licence = ((SkillRequirement("licence", 4, "never"),), (SkillRequirement("english", 4, "lower"),))
    acd.routes("law", Ring(5), Ring(lower=2, drop=("licence", "english", "law")), requires=licence)
    acd.agent("eve", skills={"law": 1, "licence": 4, "english": 4}).signs_in()
    call = acd.call_enters("law")
    acd.advance(5)
    assert call.now.need == ((("english", 2),), (("licence", 4),))


def test_more_teams_may_serve_as_time_goes_on(acd: AcdWorld) -> None:
    acd.routes("law", Ring(10), Ring(10, teams=("night",)), Ring(teams=("*",)), teams=("day",))
    acd.agent("day", skills={"law": 1}, teams=("day",)).signs_in()
    acd.agent("nina", skills={"law": 1}, teams=("night", "week")).goes_available()
    acd.agent("odd", skills={"law": 1}).goes_available()
    first, second = acd.call_enters("law"), acd.call_enters("law")
    acd.advance(10)
    assert (first.rings_at, second.rings_at) == ("nina", "nobody")
    acd.advance(10)
    assert second.rings_at == "odd"


def test_ring_that_nobody_staffs_is_skipped_at_once(acd: AcdWorld) -> None:
    acd.routes("law", Ring(600), Ring(600, lower=2), Ring(drop=("law",)), skills=(("law", 5),))
    acd.agent("ann", skills={"law": 3}).goes_available()
    call = acd.call_enters("law")
    assert (call.rings_at, call.now.stage.ring) == ("ann", 2)


def test_callers_go_on_when_the_last_of_their_ring_signs_out(acd: AcdWorld) -> None:
    acd.routes("law", Ring(600), Ring(lower=4), skills=(("law", 5),))
    expert = acd.agent("eve", skills={"law": 5}).goes_available()
    expert.pauses()
    acd.agent("ann", skills={"law": 1}).goes_available()
    call = acd.call_enters("law")
    assert call.rings_at == "nobody"
    expert.signs_out()
    assert call.rings_at == "ann"


def test_callers_go_on_when_somebody_comes_for_a_later_ring(acd: AcdWorld) -> None:
    acd.routes("law", Ring(600), Ring(lower=4), skills=(("law", 5),))
    call = acd.call_enters("law")
    assert call.now.stage.ring == 1
    acd.agent("ann", skills={"law": 1}).goes_available()
    assert call.rings_at == "ann"


def test_ring_that_ends_while_a_phone_rings_is_over_when_it_stops(acd: AcdWorld) -> None:
    acd.routes("law", Ring(15), Ring(lower=4), skills=(("law", 5),))
    eve = acd.agent("eve", skills={"law": 5}).goes_available()
    acd.agent("ann", skills={"law": 1}).goes_available()
    call = acd.call_enters("law")
    acd.advance(18)
    assert call.rings_at == "eve"
    eve.declines()
    assert call.rings_at == "ann"


def test_place_and_position_are_the_same_in_every_ring(acd: AcdWorld) -> None:
    acd.routes("law", Ring(15), Ring(lower=4), skills=(("law", 5),))
    acd.agent("eve", skills={"law": 5}).signs_in()
    first = acd.call_enters("law")
    acd.advance(10)
    second = acd.call_enters("law")
    acd.advance(6)
    assert (first.now.stage.ring, second.now.stage.ring) == (2, 1)
    assert (first.position, second.position) == (1, 2)


def test_reserve_keeps_agents_for_others_until_the_ring_is_over(acd: AcdWorld) -> None:
    acd.routes("law", Ring(30, reserve=1), Ring())
    ann = acd.agent("ann", skills={"law": 1, "vip": 1}).goes_available()
    patient = acd.call_enters("law")
    assert (patient.rings_at, ann.state) == ("nobody", "available")
    vip = acd.call_enters("vip")
    assert vip.rings_at == "ann"
    vip.hangs_up()
    assert patient.rings_at == "nobody"
    acd.agent("bob", skills={"law": 1}).goes_available()
    assert patient.rings_at == "ann"
    ann.answers()
    late = acd.call_enters("law")
    acd.advance(30)
    assert late.rings_at == "bob"


def test_restart_and_reload_keep_the_ring_and_its_end(acd: AcdWorld) -> None:
    acd.routes("law", Ring(20), Ring(30, lower=1), Ring(lower=4), skills=(("law", 5),))
    acd.agent("eve", skills={"law": 5}).signs_in()
    call = acd.call_enters("law")
    acd.advance(30)
    end = acd.now + timedelta(seconds=20)
    acd.restarts()
    assert (call.now.stage.ring, call.now.stage.until) == (2, end)
    acd.queue("other")
    assert (call.now.stage.ring, call.now.stage.until) == (2, end)
    acd.advance(20)
    assert call.now.stage.ring == 3


def test_fewer_rings_in_a_new_policy_leave_a_caller_in_the_last(acd: AcdWorld) -> None:
    acd.routes("law", Ring(20), Ring(30, lower=1), Ring(lower=4), skills=(("law", 5),))
    acd.agent("eve", skills={"law": 5}).signs_in()
    call = acd.call_enters("law")
    acd.advance(60)
    acd.routes("law", Ring(20), Ring(lower=2))
    assert (call.now.stage.ring, call.now.need) == (2, ((("law", 3),),))


def test_free_agents_of_a_queue_are_those_of_its_first_ring(acd: AcdWorld) -> None:
    acd.routes("law", Ring(20), Ring(lower=4), skills=(("law", 5),), teams=("day",))
    acd.agent("eve", skills={"law": 5}, teams=("day",)).goes_available()
    acd.agent("ann", skills={"law": 1}, teams=("day",)).goes_available()
    acd.agent("nina", skills={"law": 5}, teams=("night",)).goes_available()
    assert (acd.core.free_for("law"), acd.core.free_for("nowhere")) == (1, 0)
