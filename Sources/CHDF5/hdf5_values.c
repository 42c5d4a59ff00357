#include "hdf5_values.h"

#include "hdf5_creation.h"
#include "hdf5_lock.h"

#include <stdio.h>
#include <string.h>

// Memory grows by so much at a time.
enum { memory_step = 1 << 20 };

hdf5_file hdf5_create_in_memory(void) {
  HOLD_LOCK;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (access < 0) return -1;
  hid_t file = -1;
  if (H5Pset_fapl_core(access, memory_step, false) >= 0) {
    // Files in memory are told apart by their names: a second one of the same name can not be opened beside the first.
    static unsigned long long number;
    char name[40];
    snprintf(name, sizeof name, "memory%llu.h5", number++);
    file = H5Fcreate(name, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  }
  H5Pclose(access);
  return file;
}

long long hdf5_image(hdf5_file file, void *bytes, size_t count) {
  HOLD_LOCK;
  if (H5Fflush(file, H5F_SCOPE_LOCAL) < 0) return -1;
  return H5Fget_file_image(file, bytes, bytes ? count : 0);
}

bool hdf5_make_group(hdf5_file file, const char *name) {
  HOLD_LOCK;
  if (hdf5_kind_of(file, name) == hdf5_group) return true;
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  if (links < 0) return false;
  hid_t group = -1;
  if (H5Pset_create_intermediate_group(links, 1) >= 0) {
    group = H5Gcreate2(file, name, links, H5P_DEFAULT, H5P_DEFAULT);
  }
  H5Pclose(links);
  return group >= 0 && H5Gclose(group) >= 0;
}

// Writes one array of a type; takes the space.
static bool write_array(
    hid_t file, const char *name, hid_t stored, hid_t given, hid_t space, const void *values) {
  if (space < 0) return false;
  const hid_t creation = hdf5_creation();
  const hid_t array = creation < 0
      ? -1
      : H5Dcreate2(file, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  bool is_written = array >= 0;
  if (is_written && values) {
    is_written = H5Dwrite(array, given, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
  }
  if (array >= 0) is_written = H5Dclose(array) >= 0 && is_written;
  if (creation >= 0) H5Pclose(creation);
  H5Sclose(space);
  return is_written;
}

bool hdf5_write_integer(hdf5_file file, const char *name, int value) {
  HOLD_LOCK;
  const hsize_t one = 1;
  return write_array(
      file, name, H5T_NATIVE_INT, H5T_NATIVE_INT, H5Screate_simple(1, &one, NULL), &value);
}

enum hdf5_result hdf5_read_integer(hdf5_file file, const char *name, int *value) {
  HOLD_LOCK;
  struct hdf5_layout layout;
  const enum hdf5_result result = hdf5_describe(file, name, &layout);
  if (result != hdf5_done) return result;
  for (int axis = 0; axis < layout.axes; ++axis) {
    if (layout.extents[axis] != 1) return hdf5_failed;
  }
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return hdf5_failed;
  const bool is_read = H5Dread(array, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0;
  H5Dclose(array);
  return is_read ? hdf5_done : hdf5_failed;
}

bool hdf5_write_text(hdf5_file file, const char *name, const char *text) {
  HOLD_LOCK;
  const hid_t type = H5Tcopy(H5T_C_S1);
  if (type < 0) return false;
  const bool is_written = H5Tset_size(type, strlen(text) + 1) >= 0
      && H5Tset_strpad(type, H5T_STR_NULLTERM) >= 0
      && write_array(file, name, type, type, H5Screate(H5S_SCALAR), text);
  H5Tclose(type);
  return is_written;
}

long long hdf5_read_text(hdf5_file file, const char *name, char *text, size_t count) {
  HOLD_LOCK;
  if (hdf5_kind_of(file, name) != hdf5_array) return -1;
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return -1;
  const hid_t type = H5Dget_type(array);
  const hid_t space = H5Dget_space(array);
  long long length = -1;
  if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING
      && H5Tis_variable_str(type) == 0 && H5Sget_simple_extent_npoints(space) == 1) {
    const size_t size = H5Tget_size(type);
    if (size < count && H5Dread(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0) {
      text[size] = '\0';
      length = (long long)strlen(text);
    }
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  H5Dclose(array);
  return length;
}

bool hdf5_write_bytes(hdf5_file file, const char *name, const void *bytes, size_t count) {
  HOLD_LOCK;
  const hsize_t extent = count;
  const hid_t space = count == 0 ? H5Screate(H5S_NULL) : H5Screate_simple(1, &extent, NULL);
  return write_array(
      file, name, H5T_STD_U8LE, H5T_NATIVE_UINT8, space, count == 0 ? NULL : bytes);
}

long long hdf5_read_bytes(hdf5_file file, const char *name, void *bytes, size_t count) {
  HOLD_LOCK;
  if (hdf5_kind_of(file, name) != hdf5_array) return -1;
  const hid_t array = H5Dopen2(file, name, H5P_DEFAULT);
  if (array < 0) return -1;
  const hid_t type = H5Dget_type(array);
  const hid_t space = H5Dget_space(array);
  long long length = -1;
  if (type >= 0 && space >= 0 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1) {
    length = H5Sget_simple_extent_npoints(space);
    if (bytes && length > 0
        && ((size_t)length != count
            || H5Dread(array, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) < 0)) {
      length = -1;
    }
  }
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  H5Dclose(array);
  return length;
}

enum hdf5_kind hdf5_kind_of(hdf5_file file, const char *name) {
  HOLD_LOCK;
  H5O_info_t info;
  if (H5Oget_info_by_name(file, name, &info, H5P_DEFAULT) < 0) return hdf5_nothing;
  if (info.type == H5O_TYPE_GROUP) return hdf5_group;
  return info.type == H5O_TYPE_DATASET ? hdf5_array : hdf5_nothing;
}

long long hdf5_member_count(hdf5_file file, const char *group) {
  HOLD_LOCK;
  H5G_info_t info;
  if (H5Gget_info_by_name(file, group, &info, H5P_DEFAULT) < 0) return -1;
  return (long long)info.nlinks;
}

long long hdf5_member_name(
    hdf5_file file, const char *group, size_t index, char *name, size_t count) {
  HOLD_LOCK;
  return H5Lget_name_by_idx(
      file, group, H5_INDEX_NAME, H5_ITER_INC, index, name, count, H5P_DEFAULT);
}
