// What snapshots need of HDF5 beside arrays of floats: numbers, texts, bytes and the names in a group.
#ifndef HDF5_VALUES_H
#define HDF5_VALUES_H

#include "hdf5_arrays.h"

#ifdef __cplusplus
extern "C" {
#endif

// A file that exists in memory only, until it is closed; negative if that fails.
hdf5_file hdf5_create_in_memory(void);

// The bytes that a file of that content would have. `bytes` may be null, to learn how many there are; negative
// if that fails.
long long hdf5_image(hdf5_file file, void *bytes, size_t count);

// Makes a group and those that it is in; one that is there already is all right.
bool hdf5_make_group(hdf5_file file, const char *name);

// An array of one integer, as H5LTmake_dataset_int makes it.
bool hdf5_write_integer(hdf5_file file, const char *name, int value);
enum hdf5_result hdf5_read_integer(hdf5_file file, const char *name, int *value);

// A text, as H5LTmake_dataset_string makes it. Reading gives its length without the final zero, or a negative
// number; no more than `count` bytes are written to `text`, a final zero among them.
bool hdf5_write_text(hdf5_file file, const char *name, const char *text);
long long hdf5_read_text(hdf5_file file, const char *name, char *text, size_t count);

// Bytes. Reading gives how many there are, or a negative number; `bytes` may be null.
bool hdf5_write_bytes(hdf5_file file, const char *name, const void *bytes, size_t count);
long long hdf5_read_bytes(hdf5_file file, const char *name, void *bytes, size_t count);

enum hdf5_kind { hdf5_nothing, hdf5_group, hdf5_array };

// What a name stands for.
enum hdf5_kind hdf5_kind_of(hdf5_file file, const char *name);

// The number of names in a group; negative if it is none.
long long hdf5_member_count(hdf5_file file, const char *group);

// The name at a place of the alphabetical order, as hdf5_read_text gives a text.
long long hdf5_member_name(
    hdf5_file file, const char *group, size_t index, char *name, size_t count);

#ifdef __cplusplus
}
#endif

#endif
