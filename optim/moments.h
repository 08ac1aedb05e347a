// SPDX-License-Identifier: Apache-2.0
// Moments: the two averages that an optimizer of Adam's family keeps of each element's gradients. Dealt out over ranks,
// each has those of the pieces that it owns, and of the tables that are every rank's own. Used by AdamW and LAMB.
#pragma once

#include <map>

#include "optim/pieces.h"

namespace espalier {

class Moments {
 public:
  Moments(ParameterStore& store, bool dealt);  // makes the store's gradients

  struct At {
    float *m, *v;
  };
  // Of the elements from `first` on of a piece that this rank has.
  At at(const Parameter& parameter, int64_t first) const;

  // To be called before a step, when the parameters have their copies: finds room for what is dealt out.
  void prepare();

  // Laid out as the store's values. Dealt out, every rank calls it, and rank 0 has all; the others get an empty tensor.
  Tensor first() const { return dealt_ ? collected(&Part::m, loaded_.m) : m_; }
  Tensor second() const { return dealt_ ? collected(&Part::v, loaded_.v) : v_; }
  void load(const Tensor& m, const Tensor& v);

 private:
  struct Part {  // of one parameter: its own pieces, one behind the other
    Tensor m, v;
    int64_t first_piece = 0;
  };
  void make_part(const Parameter& parameter);
  int64_t place(const Parameter& parameter, int64_t first) const;
  Tensor collected(Tensor Part::*which, const Tensor& loaded) const;

  ParameterStore& store_;
  bool dealt_, prepared_ = false;
  Tensor m_, v_;                            // not dealt out
  std::map<const Parameter*, Part> parts_;  // dealt out
  Part loaded_;                             // until prepare()
};

}  // namespace espalier
