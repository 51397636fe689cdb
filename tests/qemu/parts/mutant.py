"""An agent with a mistake in it: the power cuts must find it, or they prove nothing. Only with --long or by name."""

import images
from lab import Lab
from parts import power

# Without the backup in a file, a single copy that a cut tore cannot be healed.
NO_BACKUP = (
    "crates/uboot-env/src/storage/transaction.rs",
    "        let needs_backup = store.copies.len() == 1 || store.copies[target].has_neighbours(before);",
    "        let needs_backup = false;",
)


def without_backup(lab):
    """A build without the backup of the environment is found out by the cuts of one copy with policy `always`."""
    agent = images.mutant(*NO_BACKUP)
    mutated = Lab(lab.logs / "mutated", binary=agent)
    try:
        power.single_always(mutated)
    except AssertionError as found:
        assert "restore left no good environment" in str(found), f"found for another reason: {found}"
        lab.note(f"found: {found}")
    else:
        raise AssertionError("the power cuts did not find it")
    finally:
        mutated.close()


CHECKS = [without_backup]
