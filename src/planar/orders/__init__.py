"""Orders: journaled before they are sent, sent once, and never given up on a guess."""

from planar.orders.differences import Difference, DifferenceKind, Reconciliation
from planar.orders.group_handle import OrderGroup
from planar.orders.handle import OrderHandle
from planar.orders.manager import OrderManager
from planar.orders.readiness import ReadyState

__all__ = ["Difference", "DifferenceKind", "OrderGroup", "OrderHandle", "OrderManager", "ReadyState", "Reconciliation"]
