#include "hdf5_lock.h"

#include <pthread.h>

static pthread_mutex_t mutex;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make(void) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

void hdf5_lock(void) {
  pthread_once(&once, make);
  pthread_mutex_lock(&mutex);
}

void hdf5_unlock(int *held) {
  *held = 0;
  pthread_mutex_unlock(&mutex);
}
