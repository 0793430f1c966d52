"""Orders: journaled before they are sent, sent once, and never given up on a guess."""

from planar.orders.handle import OrderHandle
from planar.orders.manager import OrderManager
from planar.orders.reconcile import Reconciliation

__all__ = ["OrderHandle", "OrderManager", "Reconciliation"]
