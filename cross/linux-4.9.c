/* linux-4.9 COMMAND ARGUMENT...: runs COMMAND on a kernel that knows no system call newer than Linux 4.9.
 *
 * Every newer one answers ENOSYS, by a seccomp filter that COMMAND and its children cannot take off. The numbers of 4.9
 * end with pkey_free on both architectures; what came later was added behind it. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define PKEY_FREE 331
#define FIRST_PRIVATE 0x40000000 /* x32, which is older */
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#define PKEY_FREE 396
#define FIRST_PRIVATE 0x0f0000 /* set_tls and its like, which are older */
#endif

int main(int argc, char **argv)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_PRIVATE, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PKEY_FREE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    if (argc < 2) {
        fprintf(stderr, "usage: linux-4.9 COMMAND ARGUMENT...\n");
        return 2;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("linux-4.9: seccomp");
        return 1;
    }
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    return 127;
}
