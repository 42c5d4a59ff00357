#ifndef HDF5_LOCK_H
#define HDF5_LOCK_H

// The library keeps state that two threads may not touch at a time, whatever file each of them has: every function
// of this target holds the one lock while it runs. A thread may take it again.
void hdf5_lock(void);
void hdf5_unlock(int *held);

// Takes the lock, and gives it back wherever the function ends.
#define HOLD_LOCK __attribute__((cleanup(hdf5_unlock), unused)) int held = (hdf5_lock(), 1)

#endif
