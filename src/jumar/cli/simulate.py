"""`jumar simulate`: how a cluster behaves over months, and which checkpoints and spares serve it best."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar.cli import cluster_loading
from jumar.cli.counts import count, positive, seed
from jumar.cli.processes import processes
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.fleet.engine import Task
    from jumar.fleet.simulation.cluster_file import ClusterFile

REPLICAS, STUDIED = 20, 4


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "cluster", metavar="CLUSTER.toml", help="as examples/fleet/cluster.toml, which explains itself"
    )
    parser.add_argument(
        "--replicas",
        type=count,
        default=REPLICAS,
        metavar="N",
        help=f"times it is played (default: {REPLICAS})",
    )
    parser.add_argument("--seed", type=seed, default=0, help="of all that is random (default: 0)")
    parser.add_argument("--days", type=positive, metavar="N", help="in place of what the file says")
    parser.add_argument(
        "--no-study", action="store_true", help="do not look for the best interval and spares"
    )
    parser.add_argument(
        "--study-replicas",
        type=count,
        default=STUDIED,
        metavar="N",
        help=f"of each variant (default: {STUDIED})",
    )
    parser.add_argument(
        "--engine", choices=("processes", "ray"), default="processes", help="who works (default: processes)"
    )
    parser.add_argument("--workers", type=processes, metavar="N", help="processes (default: one a core)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="keep replicas as Parquet, and write the page there"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with what --out has of the same simulation"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(chosen: argparse.Namespace) -> int:
    from jumar.fleet.simulation import summary
    from jumar.report import fleet_page, simulation_lines

    file = cluster_loading.load(Path(chosen.cluster))
    if chosen.days:
        file = file.lasting(chosen.days)
    _check_folder(chosen)
    rows, studied = _simulate(file, chosen)
    facts = summary.summarise(file, rows, studied)
    written = _write(chosen, facts) if chosen.out else None
    if chosen.json:
        print(json.dumps(fleet_page.finite(facts), indent=1, ensure_ascii=False))
        return 0
    print(simulation_lines.text(facts))
    if written:
        print(f"\nthe page is {written}; the replicas lie beside it")
    return 0


def _check_folder(chosen: argparse.Namespace) -> None:
    if chosen.resume and not chosen.out:
        raise Refusal("--resume: of what? Give the folder with --out DIR")
    if (
        chosen.out
        and not chosen.resume
        and any((chosen.out / name).exists() for name in ("replicas", "study"))
    ):
        raise Refusal(
            f"{chosen.out}: has results already; go on with them with --resume, or choose another folder"
        )


def _simulate(
    file: ClusterFile, chosen: argparse.Namespace
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the replicas, and those of the study."""
    from jumar.fleet import engine
    from jumar.fleet.simulation import study

    variants = [] if chosen.no_study else study.variants(file.cluster())
    tasks = engine.sweep(variants, chosen.study_replicas, chosen.seed)
    rows = _run(file, engine.replicas(chosen.replicas, chosen.seed), "replicas", chosen)
    return rows, _run(file, tasks, "study", chosen) if tasks else []


def _run(file: ClusterFile, tasks: list[Task], what: str, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    from jumar.fleet import engine
    from jumar.fleet.simulation.replica import replica

    try:
        table = engine.run(
            tasks,
            replica,
            shared=file,
            engine=chosen.engine,
            workers=chosen.workers,
            directory=chosen.out / what if chosen.out else None,
            progress=engine.Printer(what),
        )
    except (engine.EngineMissing, engine.OtherResults, engine.WorkersLost) as error:
        raise Refusal(str(error)) from error
    except OSError as error:
        raise Refusal(
            f"{chosen.out}: cannot be written: {error.strerror}; choose another with --out"
        ) from error
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _write(chosen: argparse.Namespace, facts: dict[str, Any]) -> Path:
    """The page, and the facts on it, beside the replicas."""
    from jumar.report import fleet_page

    command = [
        "jumar",
        "simulate",
        chosen.cluster,
        "--replicas",
        str(chosen.replicas),
        "--seed",
        str(chosen.seed),
    ]
    command += ["--days", f"{chosen.days:g}"] if chosen.days else []
    command += ["--no-study"] if chosen.no_study else ["--study-replicas", str(chosen.study_replicas)]
    return fleet_page.write_simulation(facts, chosen.out, command)
