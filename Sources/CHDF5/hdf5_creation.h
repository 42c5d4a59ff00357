#ifndef HDF5_CREATION_H
#define HDF5_CREATION_H

#if __has_include(<hdf5/serial/hdf5.h>)
#include <hdf5/serial/hdf5.h>
#else
#include <hdf5.h>
#endif

// How arrays are made: without the time of day, so that the same values make the same file at any time. To be closed;
// below 0 if there is none.
static inline hid_t hdf5_creation(void) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  if (creation >= 0 && H5Pset_obj_track_times(creation, false) < 0) {
    H5Pclose(creation);
    return -1;
  }
  return creation;
}

#endif
