"""Images for engines that reach no registry: built from Debian packages, shaped like the official ones."""

from rehearsal.images.build import Image, ensure_image
from rehearsal.images.catalogue import RECIPES, backend, frontend

__all__ = ["RECIPES", "Image", "backend", "ensure_image", "frontend"]
