using System.Globalization;
using System.Text;

namespace Graphene.Codegen.Aot;

/// <summary>Writes the C header of a native library: C99 and C++, with everything that a caller must know.</summary>
internal sealed class CHeader
{
    private readonly StringBuilder _text = new();
    private readonly CompiledLibrary _library;
    private readonly string _name;
    private readonly string _macro;

    private CHeader(CompiledLibrary library)
    {
        _library = library;
        _name = library.Options.Name;
        _macro = CName.Upper(_name);
    }

    /// <summary>The header.</summary>
    public static string Print(CompiledLibrary library)
    {
        var header = new CHeader(library);
        header.PrintAll();
        return header._text.ToString();
    }

    private void PrintAll()
    {
        bool isMany = _library.Functions.Length > 1;
        string variants = string.Join(", ", _library.Target.Variants.Select(v => v.Machine.ToString()));
        Line($"/* {_name}: a graph compiled by Graphene {GraphCompilerName} for {Comment(variants)}.");
        Line(" *");
        Line(" * A run reads its inputs, writes its outputs, and uses the workspace, which the caller provides and which holds nothing");
        Line(" * between runs. It allocates no memory, starts no thread, and calls nothing but what it is given. Any number of runs may");
        Line(" * go on at the same time, each with a workspace of its own.");
        if (_library.Target.Variants.Length > 1)
        {
            Line(" * The one thing that is written besides is the number of the code that suits the processor: found at the first run,");
            Line(" * the same for all threads, and kept in an int that is read and written atomically.");
        }
        Line(" *");
        Line(" * Tensors are dense and row-major. A pointer is aligned to the size of an element; inputs and outputs do not overlap.");
        Line($" * A run needs at most {_library.StackBytes} bytes of stack, a thread that a parallel-for uses no more.");
        if (_library.Options.HasExternalWeights)
        {
            Line(" * The constants are in a weights file: map it, or read it to memory at a multiple of 64, check it once, and pass it.");
        }
        Line(" */");
        Line($"#ifndef {_macro}_H");
        Line($"#define {_macro}_H");
        Line("");
        Line("#include <stddef.h>");
        Line("#include <stdint.h>");
        Line("");
        Line("#ifdef __cplusplus");
        Line("extern \"C\" {");
        Line("#endif");
        Line("");
        PrintCommon();
        foreach (NativeFunction f in _library.Functions)
        {
            if (isMany)
            {
                Line($"/* {f.Symbol} */");
                Line("");
            }
            PrintConstants(f);
            PrintFunctions(f);
        }
        Line("#ifdef __cplusplus");
        Line("}");
        Line("#endif");
        Line("");
        Line("#endif");
    }

    private static string GraphCompilerName =>
        typeof(GraphCompiler).Assembly.GetName().Version?.ToString(3) ?? "";

    private void PrintCommon()
    {
        Line($"#define {_macro}_ABI_VERSION {Number(ShimPrinter.AbiVersion)}");
        Line($"#define {_macro}_STACK_BYTES {Number(_library.StackBytes)}");
        if (_library.Options.HasExternalWeights)
        {
            Line("/* The least size of the weights file. */");
            Line($"#define {_macro}_WEIGHTS_BYTES {Number(_library.WeightsPlace.Length)}");
            Line($"#define {_macro}_WEIGHTS_ALIGNMENT {Number(SharedConstants.AlignmentInBytes)}");
        }
        Line("");
        Line("/* What the functions return. */");
        Line("enum {");
        for (int i = 0; i < NativeErrorCodes.All.Length; i++)
        {
            (string name, string message) = NativeErrorCodes.All[i];
            Line($"    {_macro}_{name} = {Number(i)}{(i + 1 < NativeErrorCodes.All.Length ? "," : "")} /* {message} */");
        }
        Line("};");
        Line("");
        Line("/* Element types; f16 and bf16 are passed as uint16_t, bool as uint8_t of 0 or 1. */");
        Line("enum {");
        DType[] types = [.. Enum.GetValues<DType>().Where(t => !t.IsComplex())];
        foreach (DType type in types)
        {
            Line($"    {_macro}_{type.ToString().ToUpperInvariant()} = {Number((int)type)}{(type != types[^1] ? "," : "")}");
        }
        Line("};");
        Line("");
        Line($$"""
            /* An input or output. */
            typedef struct {{_name}}_tensor {
                const char *name;
                const char *shape_text;   /* such as "[batch,784]" */
                const int64_t *shape;     /* rank numbers; -1 for one that depends on dims; null for rank 0 */
                int32_t dtype;
                int32_t rank;
                size_t bytes;             /* 0 when it depends on dims */
                size_t alignment;         /* the size of an element */
            } {{_name}}_tensor;

            /* A size that is chosen for each run. */
            typedef struct {{_name}}_dim {
                const char *name;
                int64_t min;
                int64_t max;
            } {{_name}}_dim;

            /* A function of the library. */
            typedef struct {{_name}}_signature {
                const char *name;
                int32_t abi_version;
                int32_t input_count;
                int32_t output_count;
                int32_t dim_count;
                const {{_name}}_tensor *inputs;
                const {{_name}}_tensor *outputs;
                const {{_name}}_dim *dims;
                size_t workspace_bytes;   /* 0 when it depends on dims */
                size_t workspace_alignment;
                size_t weights_bytes;
            } {{_name}}_signature;

            /* Shares work between threads: calls task(tasks, begin, end) for ranges that cover 0 to count, each number once, in any
             * order and on any threads, and returns when all of them are done. pool is what the run was given. */
            typedef void (*{{_name}}_task)(void *tasks, int64_t begin, int64_t end);
            typedef void (*{{_name}}_parallel_for)(void *pool, int64_t count, {{_name}}_task task, void *tasks);

            /* A short text for what a function returned; never null. */
            const char *{{_name}}_error_message(int code);

            /* Whether this processor can run the code: {{_macro}}_OK or {{_macro}}_ERROR_PROCESSOR.{{(_library.Target.Variants.Length == 1 ? " Runs do not look." : "")}} */
            int {{_name}}_processor_check(void);

            """);
        if (_library.Options.HasExternalWeights)
        {
            Line($$"""
                /* Whether memory of that size holds the weights that this library was compiled with. Reads all of them: call it once. */
                int {{_name}}_weights_check(const void *weights, size_t bytes);

                """);
        }
    }

    private void PrintConstants(NativeFunction f)
    {
        string m = f.MacroPrefix;
        Line($"#define {m}_INPUT_COUNT {Number(f.Plan.Inputs.Length)}");
        Line($"#define {m}_OUTPUT_COUNT {Number(f.Plan.Outputs.Length)}");
        Line($"#define {m}_WORKSPACE_ALIGNMENT {Number(ArenaPacking.AlignmentInBytes)}");
        if (!f.HasDims)
        {
            Line($"#define {m}_WORKSPACE_BYTES {Number(f.StaticWorkspaceBytes)}");
        }
        PrintTensors($"{m}_INPUT", [.. f.Plan.Inputs.Select(i => (i.Name, i.Type))]);
        PrintTensors($"{m}_OUTPUT", [.. f.Plan.Outputs.Select(o => (o.Name, o.Type))]);
        if (f.HasDims)
        {
            Line("");
            Line("/* The dims that a run is given, in this order. */");
            Line($"#define {m}_DIM_COUNT {Number(f.Plan.Symbols.Length)}");
            string[] names = CName.Distinct(f.Plan.Symbols.Select(s => s.Name));
            for (int i = 0; i < names.Length; i++)
            {
                Line($"#define {m}_DIM_{names[i]} {Number(i)} /* {Number(f.Plan.Symbols[i].Min)} to {Number(f.Plan.Symbols[i].Max)} */");
            }
        }
        Line("");
    }

    private void PrintTensors(string prefix, (string Name, TensorType Type)[] tensors)
    {
        string[] names = CName.Distinct(tensors.Select(t => t.Name));
        for (int i = 0; i < names.Length; i++)
        {
            (string name, TensorType type) = tensors[i];
            Line("");
            Line($"/* '{Comment(name)}': {type.DType.Name()}{Comment(ShimPrinter.ShapeText(type.Shape))}, {CType(type.DType)} */");
            Line($"#define {prefix}_{names[i]} {Number(i)}");
            Line($"#define {prefix}_{names[i]}_ALIGNMENT {Number(type.DType.SizeInBytes())}");
            if (type.SizeInBytes.IsStatic)
            {
                Line($"#define {prefix}_{names[i]}_BYTES {Number(type.SizeInBytes.Value)}");
                Line($"#define {prefix}_{names[i]}_ELEMENTS {Number(type.SizeInBytes.Value / type.DType.SizeInBytes())}");
            }
        }
    }

    private void PrintFunctions(NativeFunction f)
    {
        string m = f.MacroPrefix;
        string own = (f.HasDims ? ", const int64_t *dims" : "") + (_library.Options.HasExternalWeights ? ", const void *weights" : "");
        string size = f.HasDims ? $"{f.Prefix}_workspace_size(dims)" : $"{m}_WORKSPACE_BYTES";
        Line($$"""
            /* Runs the graph on the calling thread. The workspace has {{size}} bytes
             * at a multiple of {{m}}_WORKSPACE_ALIGNMENT. */
            int {{f.Symbol}}(const void *const *inputs, void *const *outputs, void *workspace{{own}});

            /* The same with the work shared between threads; parallel_for may be null. The run stops soon after *cancel, if there is one,
             * becomes other than 0. Results are the same for any number of threads. */
            int {{f.Symbol}}_parallel(const void *const *inputs, void *const *outputs, void *workspace{{own}},
                size_t workspace_bytes, {{_name}}_parallel_for parallel_for, void *pool, const volatile int *cancel);

            /* Names, types and shapes. */
            const {{_name}}_signature *{{f.Prefix}}_describe(void);

            """);
        if (f.HasDims)
        {
            Line($$"""
                /* Bytes for these dims; 0 when they are not possible. */
                size_t {{f.Prefix}}_workspace_size(const int64_t *dims);
                size_t {{f.Prefix}}_input_size(int index, const int64_t *dims);
                size_t {{f.Prefix}}_output_size(int index, const int64_t *dims);

                """);
        }
    }

    /// <summary>The type of an element in C.</summary>
    public static string CType(DType type) => type switch
    {
        DType.F32 => "float",
        DType.F64 => "double",
        DType.Bool or DType.U8 => "uint8_t",
        DType.F16 or DType.BF16 or DType.U16 => "uint16_t",
        DType.I8 => "int8_t",
        DType.I16 => "int16_t",
        DType.I32 => "int32_t",
        DType.I64 => "int64_t",
        DType.U32 => "uint32_t",
        _ => "uint64_t",
    };

    // A name must not end a comment.
    private static string Comment(string text) => string.Concat(
        text.Select(c => c is >= ' ' and < '\x7f' ? c : '?')).Replace("*/", "* /", StringComparison.Ordinal)
        .Replace("/*", "/ *", StringComparison.Ordinal);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private void Line(string line) => _text.Append(line).Append('\n');
}
