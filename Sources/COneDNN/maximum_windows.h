/* One window of maximum pooling, by vectors of WIDTH channels; `maximum.c` includes this for every width. */
#define PASTED(name, width) name##_##width
#define WITH_WIDTH(name, width) PASTED(name, width)
#define NAMED(name) WITH_WIDTH(name, WIDTH)
#define floats NAMED(floats)
#define ints NAMED(ints)

/* WIDTH channels, at any address. */
typedef float floats __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int32_t ints __attribute__((vector_size(4 * WIDTH), aligned(4)));

/* Where the vector that ends with the last channel begins, if that is not where one has ended: it takes some channels
 * again. Backward those add nothing. */
static int64_t NAMED(last_vector)(int64_t channels) {
  return channels % WIDTH != 0 && channels > WIDTH ? channels - WIDTH : -1;
}

FOR_ANY_VECTORS
static void NAMED(forward_window)(
  const dnn_maximum *p, range y, range x, const float *source, float *destination, int32_t *taps) {
  int64_t channel = 0, last = NAMED(last_vector)(p->inner);
  while (channel + WIDTH <= p->inner) {
    floats best = (floats){0} - FLT_MAX;
    ints place = (ints){0} - 1, tap = {0};
    for (int64_t row = y.first; row < y.last; row++)
      for (int64_t column = x.first; column < x.last; column++, tap += 1) {
        floats value = *(const floats *)(source + (row * p->columns + column) * p->inner + channel);
        ints is_larger = value > best;
        best = (floats)(((ints)value & is_larger) | ((ints)best & ~is_larger));
        place = (tap & is_larger) | (place & ~is_larger);
      }
    *(floats *)(destination + channel) = best;
    *(ints *)(taps + channel) = place;
    channel = channel < last && channel + 2 * WIDTH > p->inner ? last : channel + WIDTH;
  }
  for (; channel < p->inner; channel++) {
    float best = -FLT_MAX;
    int32_t place = -1, tap = 0;
    for (int64_t row = y.first; row < y.last; row++)
      for (int64_t column = x.first; column < x.last; column++, tap++) {
        float value = source[(row * p->columns + column) * p->inner + channel];
        if (value > best) best = value, place = tap;
      }
    destination[channel] = best;
    taps[channel] = place;
  }
}

FOR_ANY_VECTORS
static void NAMED(backward_window)(
  const dnn_maximum *p, range y, range x, const float *gradient, float *result, const int32_t *taps) {
  int64_t channel = 0, last = NAMED(last_vector)(p->inner);
  ints counts = (ints){0} - 1;
  while (channel + WIDTH <= p->inner) {
    ints value = *(const ints *)(gradient + channel) & counts, place = *(const ints *)(taps + channel), tap = {0};
    for (int64_t row = y.first; row < y.last; row++)
      for (int64_t column = x.first; column < x.last; column++, tap += 1)
        *(floats *)(result + (row * p->columns + column) * p->inner + channel) += (floats)(value & (place == tap));
    if (channel < last && channel + 2 * WIDTH > p->inner) {
      for (int lane = 0; lane < WIDTH; lane++) counts[lane] = lane < channel + WIDTH - last ? 0 : -1;
      channel = last;
    } else {
      channel += WIDTH;
    }
  }
  for (; channel < p->inner; channel++) {
    int64_t across = x.last - x.first, place = taps[channel];
    if (place < 0) continue;
    int64_t row = y.first + place / across, column = x.first + place % across;
    result[(row * p->columns + column) * p->inner + channel] += gradient[channel];
  }
}

#undef ints
#undef floats
#undef NAMED
#undef WITH_WIDTH
#undef PASTED
