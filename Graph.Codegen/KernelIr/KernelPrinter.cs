using System.Globalization;
using System.Text;

namespace Graphene.Codegen;

/// <summary>Writes a kernel as text. <see cref="KernelParser"/> reads it back to the same kernel.</summary>
/// <remarks>
/// Expressions are written as calls. One that a statement uses more than once, or that is nested deeply, gets a name on a line
/// before the statement: <c>%0 = multiply(x, x)</c>. Such names last for that statement and are not variables of the kernel.
/// A second option of a load, and the option of a store, is the alignment. Where a task is many threads, a line <c>threads t of 128</c>
/// follows, with <c>tasks 2</c> behind it where a multiprocessor shall have two, and <c>members 50</c> where a start does so many calls.
/// Tensors of which boxes are copied stand behind the arguments: <c>map m of x: sizes [n, 64] strides [n] from 0 box [64, 8] swizzled</c>.
/// <code>
/// kernel "double" flops=4096 bytes=32768
/// argument 0 x: f32 readonly
/// argument 1 y: f32
/// task t of 1
/// {
///   for i from 0 to 4096 step 8
///   {
///     let v: f32x8 = load[8](x, i)
///     store(y, i, add(v, v))
///   }
/// }
/// </code>
/// </remarks>
public static class KernelPrinter
{
    /// <summary>The canonical text of a kernel: equal for kernels that differ in nothing but objects.</summary>
    public static string Print(Kernel kernel)
    {
        var names = new KernelNames(kernel);
        var text = new StringBuilder();
        text.Append("kernel ").Append(QuotedText.Quote(kernel.Name));
        text.Append(CultureInfo.InvariantCulture, $" flops={kernel.Cost.Flops} bytes={kernel.Cost.Bytes}\n");
        foreach (DimSymbol symbol in names.Symbols)
        {
            text.Append(CultureInfo.InvariantCulture, $"symbol {KernelNames.Symbol(symbol)} in {symbol.Min}..{symbol.Max}");
            int size = kernel.Sizes.ToList().IndexOf(symbol);
            text.Append(size < 0 ? "\n" : string.Create(CultureInfo.InvariantCulture, $" size {size}\n"));
        }
        foreach (KBuffer argument in kernel.Arguments)
        {
            text.Append(CultureInfo.InvariantCulture, $"argument {argument.Argument} {names[argument]}: {argument.Element.Name()}");
            text.Append(argument.IsReadOnly ? " readonly\n" : "\n");
        }
        var statements = new KernelStatementPrinter(text, names);
        foreach (KTensorMap map in kernel.Maps)
        {
            statements.Map(map);
        }
        statements.Task(kernel.Task, kernel.TaskCount);
        if (kernel.Threads is { } threads)
        {
            string tasks = threads.TasksPerMultiprocessor == 0 ? "" : string.Create(
                CultureInfo.InvariantCulture, $" tasks {threads.TasksPerMultiprocessor}");
            string members = kernel.Members == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $" members {kernel.Members}");
            text.Append(CultureInfo.InvariantCulture, $"threads {names[threads.Thread]} of {threads.Count}{tasks}{members}\n");
        }
        statements.Block(kernel.Body, 0);
        return text.ToString();
    }

    /// <summary>One statement of a kernel, without the blocks in it: for messages.</summary>
    internal static string PrintHead(Kernel kernel, KStmt statement)
    {
        KStmt head = statement switch
        {
            KFor loop => loop with { Body = new KBlock([]) },
            KWhile loop => loop with { Body = new KBlock([]) },
            KTiles tiles => tiles with { Body = new KBlock([]) },
            KRoles roles => roles with { Roles = [] },
            KIf choice => choice with { Then = new KBlock([]), Else = null },
            _ => statement,
        };
        var text = new StringBuilder();
        new KernelStatementPrinter(text, new KernelNames(kernel)).Statement(head);
        return text.ToString().TrimEnd();
    }
}
