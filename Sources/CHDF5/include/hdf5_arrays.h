#ifndef HDF5_ARRAYS_H
#define HDF5_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Arrays of floats in HDF5 files. The library is not made for threads; these functions are: they wait for
// each other.

#define HDF5_MAXIMUM_AXES 32

/// An open file, or below 0 if there is none.
typedef int64_t hdf5_file;

/// How an array looks.
struct hdf5_layout {
  int axes;
  uint64_t extents[HDF5_MAXIMUM_AXES];
};

enum hdf5_result {
  hdf5_done,
  /// There is no array of this name.
  hdf5_missing,
  /// It holds neither integers nor floating-point numbers.
  hdf5_not_numbers,
  /// It has more axes than `HDF5_MAXIMUM_AXES`.
  hdf5_too_many_axes,
  /// The library refused, because the file is damaged or the disk full.
  hdf5_failed
};

/// Opens a file to read.
hdf5_file hdf5_open(const char *path);

/// Creates a file, or empties one.
hdf5_file hdf5_create(const char *path);

/// False if not everything could be written.
bool hdf5_close(hdf5_file file);

/// The shape of an array; `name` may lead through groups ("data/conv1/0").
enum hdf5_result hdf5_describe(hdf5_file file, const char *name, struct hdf5_layout *layout);

/// Reads a whole array, whose numbers become floats; `count` must be that of its layout.
enum hdf5_result hdf5_read(hdf5_file file, const char *name, float *values, size_t count);

/// Writes an array of floats; groups in `name` are made.
enum hdf5_result hdf5_write(
    hdf5_file file, const char *name, const struct hdf5_layout *layout, const float *values);

#endif
