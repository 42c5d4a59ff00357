#include "hdf5_arrays.h"

#include "hdf5_creation.h"
#include "hdf5_lock.h"

#include <string.h>

// The library prints its errors unless told otherwise; ours are results.
static void silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

hdf5_file hdf5_open(const char *path) {
  HOLD_LOCK;
  silence();
  return H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
}

hdf5_file hdf5_create(const char *path) {
  HOLD_LOCK;
  silence();
  return H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

bool hdf5_close(hdf5_file file) {
  HOLD_LOCK;
  return H5Fclose(file) >= 0;
}

// Whether every group on the way to an array is there; asking for the whole path fails otherwise.
static bool is_there(hid_t file, const char *name) {
  char path[1024];
  const size_t length = strlen(name);
  if (length == 0 || length >= sizeof path) return false;
  for (size_t end = 1; end <= length; ++end) {
    if (end < length && name[end] != '/') continue;
    memcpy(path, name, end);
    path[end] = '\0';
    if (H5Lexists(file, path, H5P_DEFAULT) <= 0) return false;
  }
  return true;
}

static enum hdf5_result open_numbers(hid_t file, const char *name, hid_t *array) {
  if (!is_there(file, name)) return hdf5_missing;
  *array = H5Dopen2(file, name, H5P_DEFAULT);
  if (*array < 0) return hdf5_missing;
  const hid_t type = H5Dget_type(*array);
  const H5T_class_t kind = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  if (type >= 0) H5Tclose(type);
  if (kind == H5T_FLOAT || kind == H5T_INTEGER) return hdf5_done;
  H5Dclose(*array);
  return hdf5_not_numbers;
}

static enum hdf5_result read_layout(hid_t array, struct hdf5_layout *layout) {
  const hid_t space = H5Dget_space(array);
  if (space < 0) return hdf5_failed;
  enum hdf5_result result = hdf5_failed;
  hsize_t extents[HDF5_MAXIMUM_AXES];
  const int axes = H5Sget_simple_extent_ndims(space);
  if (axes > HDF5_MAXIMUM_AXES) {
    result = hdf5_too_many_axes;
  } else if (axes >= 0 && H5Sget_simple_extent_dims(space, extents, NULL) >= 0) {
    layout->axes = axes;
    for (int axis = 0; axis < axes; ++axis) layout->extents[axis] = extents[axis];
    result = hdf5_done;
  }
  H5Sclose(space);
  return result;
}

enum hdf5_result hdf5_describe(hdf5_file file, const char *name, struct hdf5_layout *layout) {
  HOLD_LOCK;
  hid_t array;
  enum hdf5_result result = open_numbers(file, name, &array);
  if (result != hdf5_done) return result;
  result = read_layout(array, layout);
  H5Dclose(array);
  return result;
}

enum hdf5_result hdf5_read(hdf5_file file, const char *name, float *values, size_t count) {
  HOLD_LOCK;
  hid_t array;
  enum hdf5_result result = open_numbers(file, name, &array);
  if (result != hdf5_done) return result;
  struct hdf5_layout layout;
  result = read_layout(array, &layout);
  if (result == hdf5_done) {
    size_t stored = 1;
    for (int axis = 0; axis < layout.axes; ++axis) stored *= layout.extents[axis];
    const bool is_read = stored == count
        && H5Dread(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    result = is_read ? hdf5_done : hdf5_failed;
  }
  H5Dclose(array);
  return result;
}

enum hdf5_result hdf5_write(
    hdf5_file file, const char *name, const struct hdf5_layout *layout, const float *values) {
  HOLD_LOCK;
  hsize_t extents[HDF5_MAXIMUM_AXES];
  if (layout->axes < 0 || layout->axes > HDF5_MAXIMUM_AXES) return hdf5_too_many_axes;
  for (int axis = 0; axis < layout->axes; ++axis) extents[axis] = layout->extents[axis];
  const hid_t space = layout->axes == 0 ? H5Screate(H5S_SCALAR)
                                        : H5Screate_simple(layout->axes, extents, NULL);
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  const hid_t creation = hdf5_creation();
  bool is_written = false;
  if (space >= 0 && links >= 0 && creation >= 0
      && H5Pset_create_intermediate_group(links, 1) >= 0) {
    const hid_t array =
        H5Dcreate2(file, name, H5T_NATIVE_FLOAT, space, links, creation, H5P_DEFAULT);
    if (array >= 0) {
      is_written = H5Dwrite(array, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
      is_written = H5Dclose(array) >= 0 && is_written;
    }
  }
  if (creation >= 0) H5Pclose(creation);
  if (links >= 0) H5Pclose(links);
  if (space >= 0) H5Sclose(space);
  return is_written ? hdf5_done : hdf5_failed;
}
