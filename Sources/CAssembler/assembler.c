#include "assembler.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

static const char *const triple = "x86_64-pc-linux-gnu";

static void initialise(void) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();
}

/* LLVM reports errors in module-level assembly here instead of by a return value. */
struct complaint {
  char *message;
  size_t capacity;
  int is_error;
};

static void complain(LLVMDiagnosticInfoRef info, void *context) {
  struct complaint *complaint = context;
  if (LLVMGetDiagInfoSeverity(info) != LLVMDSError || complaint->is_error) return;
  char *text = LLVMGetDiagInfoDescription(info);
  complaint->is_error = 1;
  snprintf(complaint->message, complaint->capacity, "%s", text);
  LLVMDisposeMessage(text);
}

static int emit(
  LLVMContextRef context, const char *assembly, size_t length, LLVMTargetMachineRef machine,
  const char *path, char *message, size_t capacity
) {
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("kernels", context);
  LLVMSetTarget(module, triple);
  LLVMSetModuleInlineAsm2(module, assembly, length);
  char *error = NULL;
  char *target = strdup(path);
  int failed = LLVMTargetMachineEmitToFile(machine, module, target, LLVMObjectFile, &error);
  if (failed) snprintf(message, capacity, "%s", error ? error : "the assembler failed");
  LLVMDisposeMessage(error);
  free(target);
  LLVMDisposeModule(module);
  return failed;
}

int sparsec_assemble(
  const char *assembly, size_t length, const char *path, char *message, size_t capacity
) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, initialise);

  LLVMTargetRef target;
  char *error = NULL;
  if (LLVMGetTargetFromTriple(triple, &target, &error)) {
    snprintf(message, capacity, "%s", error);
    LLVMDisposeMessage(error);
    return 1;
  }
  LLVMTargetMachineRef machine = LLVMCreateTargetMachine(
    target, triple, "generic", "", LLVMCodeGenLevelNone, LLVMRelocPIC, LLVMCodeModelDefault);
  if (!machine) {
    snprintf(message, capacity, "LLVM has no x86-64 target machine");
    return 1;
  }
  LLVMContextRef context = LLVMContextCreate();
  struct complaint complaint = {message, capacity, 0};
  LLVMContextSetDiagnosticHandler(context, complain, &complaint);
  int failed = emit(context, assembly, length, machine, path, message, capacity);
  LLVMContextDispose(context);
  LLVMDisposeTargetMachine(machine);
  return failed || complaint.is_error;
}

void sparsec_host_cpu(char **name, char **features) {
  char *cpu = LLVMGetHostCPUName();
  char *list = LLVMGetHostCPUFeatures();
  *name = strdup(cpu);
  *features = strdup(list);
  LLVMDisposeMessage(cpu);
  LLVMDisposeMessage(list);
}
