"""EXPERT_NAMES: a soup of some of the tables in EXPERTS, named, instead of all.

Idea: what a soup is worth is seen beside its parts: one expert alone, all their columns side by
side, the pixels (`data alone` makes such a folder). All runs of a study must read one folder.
Off (empty): every table is read.
"""

from goldenseal.errors import UsageError
from goldenseal.knobs import Feature, Knob
from train_gpt_style.soup.seams import GatedFeature


class Subset(GatedFeature):
    """Fills no seam but a check: `data.load_tables` reads the names."""

    declaration = Feature(
        name="subset",
        summary="read some of the tables",
        master=Knob(
            *("EXPERT_NAMES", str, "", "tables of EXPERTS, as a,b; empty: all; N_EXPERTS counts"),
            on="first,third",
        ),
        example={"EXPERT_NAMES": "first,second", "N_EXPERTS": "2"},
    )

    def check(self, settings):
        """Names, each once, of files."""
        names = settings.expert_names.split(",")
        if not settings.experts:
            raise UsageError(
                f"EXPERT_NAMES={settings.expert_names} needs EXPERTS, a folder of them"
            )
        if "" in names or len(set(names)) != len(names):
            raise UsageError(
                f"EXPERT_NAMES={settings.expert_names}: expected names such as a,b, each once"
            )


SUBSET = Subset()
