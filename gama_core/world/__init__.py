"""Procedural cities: their aerial image, their dash-cam drives, and the training set made of both.

One seed gives one place, always the same. Nothing but scripts, training and tests imports this package.
Local frame: metres from the place's north-west corner, x east, y south. Colours are RGB, 0 to 255.
"""
