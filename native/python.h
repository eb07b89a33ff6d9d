// The few functions of CPython's C interface that the core uses, declared here so that building needs no Python
// headers.
#pragma once
#include <cstddef>
#include <cstdint>

struct PyObject;

extern "C" {
PyObject* PyObject_Vectorcall(PyObject* callable, PyObject* const* arguments, size_t count, PyObject* names);
PyObject* PyLong_FromLongLong(long long value);
long long PyLong_AsLongLong(PyObject* number);
PyObject* PyFloat_FromDouble(double value);
PyObject* PyComplex_FromDoubles(double real, double imaginary);
PyObject* PyBool_FromLong(long value);
PyObject* PyUnicode_FromStringAndSize(const char* text, ptrdiff_t size);
const char* PyUnicode_AsUTF8AndSize(PyObject* text, ptrdiff_t* size);
PyObject* PyBytes_FromStringAndSize(const char* data, ptrdiff_t size);
PyObject* PyList_New(ptrdiff_t size);
int PyList_SetItem(PyObject* list, ptrdiff_t index, PyObject* item);
PyObject* PyList_GetItem(PyObject* list, ptrdiff_t index);
PyObject* PyTuple_GetItem(PyObject* tuple, ptrdiff_t index);
ptrdiff_t PyTuple_Size(PyObject* tuple);
PyObject* PyDict_New();
int PyDict_SetItem(PyObject* dictionary, PyObject* key, PyObject* value);
PyObject* PyDict_GetItem(PyObject* dictionary, PyObject* key);
int PyDict_Next(PyObject* dictionary, ptrdiff_t* position, PyObject** key, PyObject** value);
void PyErr_Fetch(PyObject** type, PyObject** value, PyObject** traceback);
void PyErr_NormalizeException(PyObject** type, PyObject** value, PyObject** traceback);
void PyErr_Clear();
void Py_IncRef(PyObject* object);
void Py_DecRef(PyObject* object);
}
