// The note beside the best epoch's dot: which epoch it is and its value.
#pragma once

#include <string>

#include "canvas.h"

namespace levin::inline v0 {

struct Note {
  std::string epoch, value;  // two lines
};

struct NotePlace {
  Box box;
  int ink;  // how many pixels in it are drawn on
};

/// The nearest place in the frame, at most reach pixels from the dot, in which nothing is drawn yet;
/// if there is none, the one with the least in it.
NotePlace place_for(const Note& note, Point dot, double reach, const Canvas& canvas);

/// Draws the note there, and a thin line to the dot if that is not next to it.
void draw_note(Canvas& canvas, const Note& note, const Box& place, Point dot);

}
