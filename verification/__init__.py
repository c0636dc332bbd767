"""Holds the clock-driven loop against another simulator, on networks small enough to compare spike by spike; `table.verify` does it all."""
