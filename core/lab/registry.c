#include "lab/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "lab/registry_places.h"
#include "results/folder.h"
#include "topology/read_parts.h"

enum { LISTEN_BACKLOG = 64, LOCK_TRIES = 10, LOCK_TRY_MS = 10, COMING_UP_SECONDS = 10 };

static void file_name(char target[static NAME_MAX], const char *name, const char *ending)
{
	snprintf(target, NAME_MAX, "%s%s", name, ending);
}

/* A lock of the open file, not of the process: it lives on in a fork. */
static int lock(int fd, int command, struct flock *ret_lock)
{
	*ret_lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, command, ret_lock) < 0 ? -errno : 0;
}

/* Whether the name still stands for the file: who found it dead may have removed it meanwhile. */
static bool is_named(int directory, const char *name, int fd)
{
	struct stat named, held;
	return fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &held) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

static int name_taken(const char *name, struct error *error)
{
	return error_set(error, -EEXIST,
		"a lab '%s' is up already; 'sim down %s' takes it down, and --name NAME gives "
		"this one another name",
		name, name);
}

/*
 * Whoever lists the labs holds a dead one's lock for a moment: only one that stays locked is up.
 */
static int lock_take(int directory, const char *name, int *ret_fd, struct error *error)
{
	char file[NAME_MAX];
	file_name(file, name, ".lock");
	for (int i = 0; i < LOCK_TRIES; i++) {
		struct flock held;
		CLEANUP(close_fd)
		int fd = openat(directory, file,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
		/* Whatever the umask: who may look is the folder's to say. */
		if (fd < 0 || fchmod(fd, 0644) < 0)
			return error_system(error, -errno, "cannot create '%s'", file);
		int status = lock(fd, F_OFD_SETLK, &held);
		if (status == 0 && is_named(directory, file, fd)) {
			*ret_fd = take_fd(&fd);
			return 0;
		}
		if (status < 0 && status != -EAGAIN && status != -EACCES)
			return error_system(error, status, "cannot lock '%s'", file);
		poll(NULL, 0, LOCK_TRY_MS);
	}
	return name_taken(name, error);
}

int registry_enter(const char *name, struct registration *ret_registration, struct error *error)
{
	struct registry_places places;
	struct error first = {0};
	if (strlen(name) > TOPOLOGY_NAME_MOST || !topology_name_fits(name))
		return error_set(error, -EINVAL,
			"'%.80s' cannot name a lab: letters, digits, '-', '_' and '.' can, %d at "
			"most, "
			"a letter or digit first",
			name, TOPOLOGY_NAME_MOST);
	registry_places_find(&places);
	for (size_t i = 0; i < places.own; i++) {
		struct error reason;
		CLEANUP(close_fd) int directory = -1;
		int fd = -1;
		int status = registry_place_make(&places, i, &directory, &reason);
		if (status == 0) {
			status = lock_take(directory, name, &fd, &reason);
			if (status < 0 && status != -EEXIST)
				error_prefix(&reason, "%s: ", places.list[i].path);
		}
		if (status == -EEXIST)
			return error_set(error, status, "%s", reason.text);
		if (status == 0) {
			*ret_registration = (struct registration){
				.directory_fd = take_fd(&directory), .lock_fd = fd};
			snprintf(
				ret_registration->name, sizeof(ret_registration->name), "%s", name);
			return 0;
		}
		if (!first.code)
			first = reason;
	}
	return error_set(error, first.code ? first.code : -ENOENT,
		"there is no folder of your own where a lab can be found again (%s); set "
		"XDG_RUNTIME_DIR to one",
		first.code ? first.text : "XDG_RUNTIME_DIR and HOME are not set");
}

int registration_tell(
	struct registration *registration, pid_t pid, const char *folder, struct error *error)
{
	CLEANUP(free_pointer) char *text = text_format("%d\n%s\n", (int)pid, folder);
	if (!text)
		return error_set(error, -ENOMEM, "out of memory");
	size_t length = strlen(text);
	if (ftruncate(registration->lock_fd, 0) < 0 ||
		pwrite(registration->lock_fd, text, length, 0) != (ssize_t)length)
		return error_system(error, errno ? -errno : -ENOSPC,
			"cannot write the file by which the lab '%s' is found", registration->name);
	return 0;
}

/* By the folder's descriptor, so that no path is too long for an address. */
static void socket_address(int directory, const char *name, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "/proc/self/fd/%d/%s.sock",
		directory, name);
}

int registration_listen(struct registration *registration, int *ret_fd, struct error *error)
{
	struct sockaddr_un address;
	char file[NAME_MAX];
	CLEANUP(close_fd)
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	file_name(file, registration->name, ".sock");
	socket_address(registration->directory_fd, registration->name, &address);
	unlinkat(registration->directory_fd, file, 0); /* of a lab that was killed */
	/* Who may knock is the folder's to say, who is let in the supervisor's. */
	mode_t before = umask(0111);
	int status = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
				     listen(fd, LISTEN_BACKLOG) < 0
			     ? -errno
			     : 0;
	umask(before);
	if (status < 0)
		return error_system(error, status, "cannot create the control socket of '%s'",
			registration->name);
	*ret_fd = take_fd(&fd);
	return 0;
}

bool registration_stands(const struct registration *registration)
{
	char file[NAME_MAX];
	file_name(file, registration->name, ".lock");
	return is_named(registration->directory_fd, file, registration->lock_fd);
}

static void files_remove(int directory, const char *name)
{
	char file[NAME_MAX];
	file_name(file, name, ".sock");
	unlinkat(directory, file, 0);
	file_name(file, name, ".lock");
	unlinkat(directory, file, 0);
}

void registration_leave(struct registration *registration)
{
	char file[NAME_MAX];
	struct stat status;
	file_name(file, registration->name, ".lock");
	/* Where somebody has removed the lock, the socket is left. */
	if (registration->lock_fd >= 0 &&
		(registration_stands(registration) ||
			fstatat(registration->directory_fd, file, &status, 0) < 0))
		files_remove(registration->directory_fd, registration->name);
	registration_forget(registration);
}

void registration_forget(struct registration *registration)
{
	close_fd(&registration->directory_fd);
	close_fd(&registration->lock_fd);
}

static void told_read(int fd, struct registered *lab)
{
	char text[PATH_MAX + 32];
	ssize_t length = pread(fd, text, sizeof(text) - 1, 0);
	text[length > 0 ? length : 0] = '\0';
	char *folder = strchr(text, '\n');
	char *end = folder ? strchr(folder + 1, '\n') : NULL;
	uint64_t pid;
	if (!end)
		return;
	*folder = *end = '\0';
	if (text_parse_number(text, 1, INT_MAX, &pid))
		lab->pid = (pid_t)pid;
	snprintf(lab->folder, sizeof(lab->folder), "%s", folder + 1);
}

/* Between making the file and locking it. */
static bool coming_up(int fd)
{
	struct stat status;
	return fstat(fd, &status) < 0 || time(NULL) - status.st_mtime < COMING_UP_SECONDS;
}

/* A killed one: its files are removed and its results handed over. False where it is coming up. */
static bool bury(int directory, int fd, const struct registered *lab)
{
	struct flock held;
	char file[NAME_MAX];
	file_name(file, lab->name, ".lock");
	if (lock(fd, F_OFD_SETLK, &held) < 0 || !is_named(directory, file, fd))
		return false;
	if (!lab->pid && coming_up(fd))
		return false;
	files_remove(directory, lab->name);
	if (!lab->pid)
		return false; /* there was no lab yet */
	struct folder folder;
	struct error ignored;
	snprintf(folder.path, sizeof(folder.path), "%s", lab->folder);
	folder_settle(&folder, &ignored);
	return true;
}

/* Returns whether there is something to tell of it. */
static bool registered_read(int directory, bool root, struct registered *lab)
{
	char file[NAME_MAX];
	struct flock held;
	file_name(file, lab->name, ".lock");
	CLEANUP(close_fd)
	int fd = openat(
		directory, file, (root ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || lock(fd, F_OFD_GETLK, &held) < 0)
		return false;
	told_read(fd, lab);
	lab->up = held.l_type != F_UNLCK;
	lab->root = root;
	return lab->up ? lab->pid > 0 : !root && bury(directory, fd, lab);
}

static int place_list(
	const struct registry_places *places, size_t index, struct registered **list, size_t *count)
{
	const char *path = places->list[index].path;
	CLEANUP(registry_directory_close) DIR *directory = registry_place_open(places, index);
	for (struct dirent *entry; directory && (entry = readdir(directory));) {
		struct registered lab = {0};
		size_t length = strlen(entry->d_name);
		if (length <= 5 || length - 5 > TOPOLOGY_NAME_MOST ||
			strcmp(entry->d_name + length - 5, ".lock") != 0)
			continue;
		snprintf(lab.name, sizeof(lab.name), "%.*s", (int)(length - 5), entry->d_name);
		snprintf(lab.place, sizeof(lab.place), "%s", path);
		if (!topology_name_fits(lab.name) ||
			!registered_read(dirfd(directory), index >= places->own, &lab))
			continue;
		struct registered *slot = array_add(list, count);
		if (!slot)
			return -ENOMEM;
		*slot = lab;
	}
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct registered *)a)->name, ((const struct registered *)b)->name);
}

int registry_list(struct registered **ret_list, size_t *ret_count, struct error *error)
{
	struct registry_places places;
	CLEANUP(free_pointer) struct registered *list = NULL;
	size_t count = 0;
	registry_places_find(&places);
	for (size_t i = 0; i < places.count; i++)
		if (place_list(&places, i, &list, &count) < 0)
			return error_set(error, -ENOMEM, "out of memory");
	if (count)
		qsort(list, count, sizeof(*list), compare_names);
	*ret_list = TAKE(list);
	*ret_count = count;
	return 0;
}

int registered_connect(const struct registered *lab, int *ret_fd, struct error *error)
{
	struct sockaddr_un address;
	CLEANUP(close_fd) int directory = open(lab->place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	socket_address(directory, lab->name, &address);
	if (directory < 0 || fd < 0 ||
		connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_system(error, -errno, "cannot speak to the lab '%s'", lab->name);
	*ret_fd = take_fd(&fd);
	return 0;
}
