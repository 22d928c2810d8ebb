from molgen.optimize.replay import Remembered, Replay


def item(smiles: str, score: float, scaffold: str = "") -> Remembered:
    return Remembered(smiles, smiles, score, -10.0, scaffold or smiles)


def test_it_keeps_the_best_once_each():
    memory = Replay(3)
    memory.add(
        [item("C", 0.1), item("CC", 0.5), item("CCC", 0.3), item("CC", 0.9), item("N", 0.0), item("O", 0.4)]
    )
    assert [(m.smiles, m.score) for m in memory.items] == [("CC", 0.5), ("O", 0.4), ("CCC", 0.3)]
    assert memory.could_take(0.35)
    assert not memory.could_take(0.3)


def test_one_scaffold_takes_no_more_than_its_places():
    memory = Replay(10, per_scaffold=2)
    memory.add([item(f"C{k}", k / 10, "c1ccccc1") for k in range(1, 6)] + [item("N", 0.05)])
    assert [m.smiles for m in memory.items] == ["C5", "C4", "N"]


def test_a_filled_scaffold_is_forgotten_and_the_others_stay():
    memory = Replay(10)
    memory.add([item("a", 0.9, "x"), item("b", 0.8, "y"), item("c", 0.7, "x")])
    assert memory.purge({"x"}) == 2
    assert [m.smiles for m in memory.items] == ["b"]


def test_draws_follow_the_seed_and_the_weighting():
    memory = Replay(50, "rank")
    memory.add([item("C" * k, 0.5 + k / 1000) for k in range(1, 51)])
    assert memory.draw(5, 3) == memory.draw(5, 3) != memory.draw(5, 4)
    assert len({m.smiles for m in memory.draw(50, 1)}) == 50
    first = sum(memory.draw(1, seed)[0] == memory.items[0] for seed in range(200))
    memory.weight = "score"
    assert first > 4 * sum(memory.draw(1, seed)[0] == memory.items[0] for seed in range(200))
